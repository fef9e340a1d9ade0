"""The lines of the checklist (guide 8.1), each evaluated as things are now. What is not known is not green."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from alerts import board
from alerts.choices import Priority
from alerts.models import Alert
from killswitch.choices import Mode
from killswitch.models import Switch
from monitoring.breakers import selectors as breakers
from monitoring.breakers.choices import UNKNOWN, State
from monitoring.health import selectors as health
from monitoring.health.choices import Status
from monitoring.metrics.current import Known
from monitoring.metrics.units import shown
from monitoring.metrics.values import Value
from opsconsole.checklist.choices import Verdict

CACHE, COST = "cache_hit_rate", "ai_cost_usd_total"
# Names that are written out; the rest is counted.
NAMED = 5
# Alerts are counted no further.
COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """`text`: what was found, beside its limit. `values`: the same as data, kept with the signature. `url`: where to look."""

    key: str
    title: str
    verdict: Verdict
    text: str
    url: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def green(self) -> bool:
        return self.verdict == Verdict.GREEN

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": str(self.verdict)}


def evaluated(*, now: datetime, reviewed: datetime, cache_hit_pct: float) -> list[Line]:
    """All lines. `reviewed`: until when somebody has looked at the alerts. About ten queries, whatever there is of anything."""
    metrics = Known((CACHE, COST), now=now)
    return [
        _health(health.board(now=now)),
        _alerts(now, reviewed),
        _cache(metrics.gauge(CACHE, min), cache_hit_pct),
        _cost(metrics.count(COST)),
        _breakers(now),
        _kill_switch(),
    ]


def _health(board_: health.Board) -> Line:
    status = board_.status
    verdict = {Status.HEALTHY: Verdict.GREEN, Status.UNKNOWN: Verdict.UNKNOWN}.get(status, Verdict.RED)
    wrong = [f"{one.row.name} is {one.status}: {one.message}" for one in board_.abnormal]
    wrong += [f"{one.row.name} is unknown" for one in board_.stale]
    text = _listed(wrong, "; ") or f"{len(board_.components)} components, none is abnormal"
    return Line(
        "health",
        "System health",
        verdict,
        f"{status.label}: {text}" if wrong else f"{status.label}, {text}",
        reverse("health"),
        {
            "status": str(status),
            "abnormal": [
                {"name": one.row.name, "status": str(one.status), "message": one.message}
                for one in board_.abnormal
            ],
            "stale": [one.row.name for one in board_.stale],
        },
    )


def _alerts(now: datetime, reviewed: datetime) -> Line:
    """Red while one needs somebody, however old it is."""
    # By the index of what was sent: alerts of months are not read.
    newest = Alert.objects.filter(sent_at__isnull=False).order_by("-id").values_list("first_at", "priority")
    told = [priority for first_at, priority in newest[:COUNTED] if reviewed < first_at <= now]
    count, critical = len(told), told.count(Priority.CRITICAL)
    open_ = board.opened(now=now)
    needing = (
        f"{open_.total:,} need{'s' if open_.total == 1 else ''} somebody"
        if open_.total
        else "none needs anybody"
    )
    late = f", {open_.overdue:,} overdue" if open_.overdue else ""
    urgent = f", {critical:,} of them CRITICAL" if critical else ""
    return Line(
        "alerts",
        "Overnight alerts",
        Verdict.RED if open_.total else Verdict.GREEN,
        f"{count:,}{'+' if count == COUNTED else ''} told since the last review{urgent}; {needing}{late}",
        reverse("alerts"),
        {
            "since": reviewed,
            "told": count,
            "critical": critical,
            "needing": open_.total,
            "overdue": open_.overdue,
        },
    )


def _cache(rate: Value, wanted: float) -> Line:
    limit = f"more than {wanted:g}% wanted"
    return Line(
        "cache_hit_rate",
        "Cache hit rate",
        _verdict(rate, lambda value: value > wanted),
        f"{_value(rate, 'percent')}, {limit}",
        reverse("metrics-system"),
        {"percent": rate.value, "wanted_above": wanted, "reason": rate.reason, "reported_at": rate.at},
    )


def _cost(cost: Value) -> Line:
    budget = settings.AI_DAILY_BUDGET_USD
    return Line(
        "ai_cost",
        "AI cost of the day",
        _verdict(cost, lambda value: value < budget),
        f"{_value(cost, 'usd')}, less than {shown(budget, 'usd')} wanted",
        reverse("metrics-cost"),
        {"usd": cost.value, "budget_usd": budget, "reason": cost.reason, "reported_at": cost.at},
    )


def _breakers(now: datetime) -> Line:
    states = breakers.states(now=now)
    counts, total = breakers.tallied(states), len(states)
    wrong = [name for state in (State.OPEN, State.HALF_OPEN) for name in states if states[name] == state]
    if wrong:
        verdict, text = Verdict.RED, f"{len(wrong)} of {total} not closed: {_listed(wrong, ', ')}"
    elif not total or counts[UNKNOWN]:
        verdict = Verdict.UNKNOWN
        text = (
            f"{counts[UNKNOWN]} of {total} unknown: no process reports them"
            if total
            else "None has been reported"
        )
    else:
        verdict, text = Verdict.GREEN, f"All {total} closed" if total > 1 else "The only one is closed"
    values = {**counts, "not_closed": wrong[:NAMED]}
    return Line("breakers", "Circuit breakers", verdict, text, reverse("breakers"), values)


def _kill_switch() -> Line:
    """Armed: nothing is stopped, and nothing may only reduce."""
    stops = dict(Switch.objects.exclude(mode=Mode.ACTIVE).order_by("scope").values_list("scope", "mode"))
    wrong = [f"{scope} is {mode}" for scope, mode in stops.items()]
    return Line(
        "kill_switch",
        "Kill switch",
        Verdict.RED if stops else Verdict.GREEN,
        _listed(wrong, ", ") or "Armed: all scopes may trade",
        reverse("kill-switch"),
        {"stopped": stops},
    )


def _verdict(value: Value, holds: Callable[[float], bool]) -> Verdict:
    if value.value is None:
        return Verdict.UNKNOWN
    return Verdict.GREEN if holds(value.value) else Verdict.RED


def _value(value: Value, unit: str) -> str:
    if value.value is not None:
        return shown(value.value, unit)
    was = f", was {shown(value.last_value, unit)}" if value.last_value is not None else ""
    return f"unknown: {value.reason}{was}"


def _listed(words: Sequence[str], separator: str) -> str:
    """`A, B and 3 more`."""
    rest = max(0, len(words) - NAMED)
    return separator.join(words[:NAMED]) + (f" and {rest} more" if rest else "")
