"""One component as its page shows it: by what it is judged, what was found, the alert it raised, and its changes of status."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime

from alerts import board as alerts
from alerts.choices import AlertState, Category
from alerts.fingerprint import identity
from alerts.models import Alert
from monitoring.health.alarms import key_of
from monitoring.health.bars import ABNORMAL, Bars, title_of
from monitoring.health.choices import Kind, Status
from monitoring.health.kinds import KINDS, Number, Setting
from monitoring.health.models import HealthChange, HealthComponent
from monitoring.health.selectors import Component, Day
from monitoring.health.values import shown_address
from monitoring.health.wording import ICONS, TONES, WORDS, counted
from monitoring.metrics.units import NBSP

# Endings of the names of numbers, and how these are shown.
UNITS = {
    "pct": "%",
    "ms": f"{NBSP}ms",
    "s": f"{NBSP}s",
    "mb": f"{NBSP}MB",
    "gb": f"{NBSP}GB",
    "days": f"{NBSP}days",
}
# Abnormal days that the table below the bars lists.
LISTED_DAYS = 30
# A fact that is a list has so many rows; the rest is counted.
LISTED_FACTS = 20
LONGEST_FACT = 300


@dataclass(frozen=True, slots=True)
class Judged:
    """Something that its status depends on. `usual`: the kind's own value, where somebody has set another one."""

    name: str
    value: str
    usual: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """What the newest look has found. `at`: where it is a time."""

    name: str
    value: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change of status."""

    change: HealthChange

    @property
    def before(self) -> str:
        return WORDS[Status(self.change.before)]

    @property
    def after(self) -> str:
        return WORDS[Status(self.change.after)]

    @property
    def tone(self) -> str:
        return TONES.get(Status(self.change.after), "")

    @property
    def icon(self) -> str:
        return ICONS[Status(self.change.after)][0]

    @property
    def filled(self) -> bool:
        return ICONS[Status(self.change.after)][1]

    @property
    def lasted(self) -> timedelta | None:
        """How long the status before had lasted. None: it was the first."""
        seconds = self.change.lasted_seconds
        return None if seconds is None else timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class BadDay:
    """A day that was not healthy throughout, as the table shows it."""

    day: Day

    @property
    def words(self) -> str:
        return title_of(self.day).split(": ", 1)[1]

    @property
    def length(self) -> timedelta:
        """For how long it was degraded or unhealthy."""
        return timedelta(seconds=sum(self.day.seconds[status] for status in ABNORMAL))


def bad_days(bars: Bars) -> list[BadDay]:
    return [BadDay(day) for day in bars.not_calm[:LISTED_DAYS]]


def in_doubt(component: Component) -> str:
    """What it takes for the newest result to become the status; empty: it is so already."""
    row, result = component.row, Status(component.row.result)
    if component.status == Status.UNKNOWN or result in (component.status, Status.UNKNOWN):
        return ""
    order = (Status.HEALTHY, Status.DEGRADED, Status.UNHEALTHY)
    needed = row.failures if order.index(result) > order.index(component.status) else row.recoveries
    return f"The newest look found it {WORDS[result].lower()}; {needed} in a row make it so."


def judged(row: HealthComponent) -> list[Judged]:
    """The thresholds of its kind, then what all components have. No value of an address is whole: paths and queries may be secrets."""
    info = KINDS[Kind(row.kind)]
    own = [_setting(setting, row.settings) for setting in info.settings]
    several = {1: "at once, by one result"}
    return [
        *(one for one in own if one.value or one.usual),
        _usual(
            "Gets worse",
            several.get(row.failures, f"after {row.failures} in a row"),
            _runs(info.failures, row.failures),
        ),
        _usual(
            "Gets better",
            several.get(row.recoveries, f"after {row.recoveries} in a row"),
            _runs(info.recoveries, row.recoveries),
        ),
        _usual(
            "Looked at every",
            _seconds(row.interval_seconds),
            _other(_seconds, info.interval, row.interval_seconds),
        ),
        _usual(
            "Must answer within",
            _seconds(row.budget_seconds),
            _other(_seconds, info.budget, row.budget_seconds),
        ),
        _usual(
            "Without it, the whole is",
            "unhealthy" if row.essential else "degraded",
            "" if row.essential == info.essential else ("unhealthy" if info.essential else "degraded"),
        ),
        _usual("Its alert", row.priority, "" if row.priority == info.priority else str(info.priority)),
        *([Judged("Of this host alone", row.host)] if row.host else []),
    ]


def limit_ms(row: HealthComponent) -> float | None:
    """From which response time on it is degraded; None: its kind has none."""
    for setting in KINDS[Kind(row.kind)].settings:
        if isinstance(setting, Number) and setting.name == "degraded_ms":
            return float(row.settings.get(setting.name, setting.default))
    return None


def facts(metadata: Mapping[str, Any]) -> list[Fact]:
    """As rows of a table, whatever a check tells."""
    return [fact for name, value in metadata.items() for fact in _facts(name, value)]


def alerts_of(row: HealthComponent, *, now: datetime) -> list[alerts.Row]:
    """The alert that it has open, or else its last one. One or two queries."""
    if Kind(row.kind) == Kind.CLIENT:
        labels = {"client": str(row.settings.get("client", ""))}
        found = Alert.objects.filter(labels__contains=labels, title=f"No contact: {labels['client']}")
    else:
        keys = [key_of(row.slug, status) for status in (Status.UNHEALTHY, Status.DEGRADED)]
        found = Alert.objects.filter(
            fingerprint__in=[identity(Category.SYSTEM_ERROR, "", {}, dedupe_key=key) for key in keys]
        )
    firing = list(found.filter(state=AlertState.FIRING).order_by("-id")[:2])
    last = firing or list(found.filter(state=AlertState.RESOLVED).order_by("-id")[:1])
    return [alerts.Row(alert, now) for alert in last]


def _usual(name: str, value: str, usual: str) -> Judged:
    return Judged(name, value, usual)


def _runs(usual: int, own: int) -> str:
    return "" if usual == own else f"after {usual}"


def _other(show: Any, usual: float, own: float) -> str:
    return "" if usual == own else show(usual)


def _seconds(value: float) -> str:
    return f"{value:,g}{NBSP}s" if value < 3600 or value % 3600 else counted(int(value // 3600), "hour")


def _setting(setting: Setting, own: Mapping[str, Any]) -> Judged:
    value = _value(setting.name, own.get(setting.name, setting.default))
    is_own = bool(setting.default) and own.get(setting.name, setting.default) != setting.default
    usual = _value(setting.name, setting.default) if is_own else ""
    return Judged(setting.help.removesuffix("."), value, usual)


def _value(name: str, value: Any) -> str:
    if name == "url":
        return shown_address(str(value))
    if isinstance(value, str):
        return ", ".join(value.split("\n"))
    return _number(name, value)


def _facts(name: str, value: Any) -> Iterator[Fact]:
    if isinstance(value, list):
        for item in value[:LISTED_FACTS]:
            yield Fact(_label(name).removesuffix("s"), _item(item))
        if len(value) > LISTED_FACTS:
            yield Fact(_label(name), f"and {len(value) - LISTED_FACTS:,} more")
        return
    if isinstance(value, str) and (at := _moment(value)) is not None:
        yield Fact(_label(name), "", at)
        return
    yield Fact(_label(name), _item(value, name))


def _moment(text: str) -> datetime | None:
    """A time with its zone, as checks write it."""
    try:
        at = parse_datetime(text) if "T" in text else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None


def _item(value: Any, name: str = "") -> str:
    if isinstance(value, Mapping):
        parts = [
            f"{_label(key).lower()} {_item(inner, key)}" for key, inner in value.items() if inner is not None
        ]
        return ", ".join(parts)[:LONGEST_FACT]
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(name, value)
    return str(value)[:LONGEST_FACT] or "none"


def _number(name: str, value: float) -> str:
    """With its unit, which the name has. What counts things in years, such as a process id, has no comma."""
    unit = UNITS.get(name.rsplit("_", 1)[-1], "")
    return (
        f"{value:g}"
        if name in ("pid", "port", "http_status", "status_from", "status_to")
        else f"{value:,.10g}{unit}"
    )


def _label(name: str) -> str:
    """`used_pct` is `Used`, `degraded_ms` is `Degraded`: the unit stands at the value."""
    words = name.split("_")
    if len(words) > 1 and words[-1] in UNITS:
        words = words[:-1]
    text = " ".join(words)
    return text[:1].upper() + text[1:]
