"""What may stand in a component: checks that name the field and what is allowed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from django.utils.text import slugify

from monitoring.health.choices import Kind
from monitoring.health.kinds import KINDS, LONGEST_TEXT, Number, Setting, Text, settings_of

# What a person sets of any component; of a target, also its name. Settings come beside them.
FIELDS = (
    *("enabled", "essential", "interval_seconds", "budget_seconds", "failures", "recoveries", "priority"),
    *("host", "comment"),
)
LONGEST_SECRET = 4000
# Pairs of settings of which the second is the worse one, and whether worse means more.
_HEADS = ("", "lag_", "connections_", "transaction_")
_MORE = [
    (f"{head}degraded_{unit}", f"{head}unhealthy_{unit}") for head in _HEADS for unit in ("ms", "pct", "s")
]
ORDERED = (
    *((first, second, True) for first, second in _MORE),
    ("degraded_days", "unhealthy_days", False),
    ("status_from", "status_to", True),
)


@dataclass(frozen=True, slots=True)
class Wrong:
    """`field` cannot have its value; `problem` says what is allowed."""

    field: str
    problem: str


def shown_address(url: str) -> str:
    """`https://prices.example.com/…`: of a sound address what is no secret, for paths and queries may be."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    more = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{parts.hostname}{port}{more}"


def slug_of(name: str) -> str:
    """Of addresses and metrics; empty where a name has nothing that one may have."""
    return slugify(name)[:80].strip("-")


def problems(kind: Kind, values: Mapping[str, Any], settings: Mapping[str, Any]) -> list[Wrong]:
    """What is wrong with these settings, and with what follows from several fields. `values`: all of FIELDS."""
    found = [wrong for name in settings for wrong in _of_setting(kind, name, settings[name])]
    if not found:
        found = [*_of_needed(kind, settings), *_of_order(settings_of(kind, settings)), *_of_url(settings)]
    if values["budget_seconds"] > values["interval_seconds"]:
        found.append(Wrong("budget_seconds", "must not be longer than the interval"))
    return found


def cleaned(kind: Kind, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Only what differs from the defaults."""
    defaults = KINDS[kind].defaults()
    stripped = {name: value.strip() if isinstance(value, str) else value for name, value in settings.items()}
    return {name: value for name, value in stripped.items() if value != defaults.get(name)}


def _of_setting(kind: Kind, name: str, value: Any) -> list[Wrong]:
    known: dict[str, Setting] = {setting.name: setting for setting in KINDS[kind].settings}
    match known.get(name):
        case None:
            allowed = ", ".join(known) or "none"
            return [Wrong(name[:64], f"is not a setting of this kind; allowed are {allowed}")]
        case Number() as setting:
            right = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
            if right and setting.least <= value <= setting.most:
                return []
            return [Wrong(name, f"must be a number from {setting.least:g} to {setting.most:g}")]
        case Text():
            if isinstance(value, str) and len(value) <= LONGEST_TEXT and "\x00" not in value:
                return []
            return [Wrong(name, f"must be a text of at most {LONGEST_TEXT} characters")]


def _of_needed(kind: Kind, settings: Mapping[str, Any]) -> list[Wrong]:
    return [
        Wrong(setting.name, "must be given")
        for setting in KINDS[kind].settings
        if isinstance(setting, Text) and setting.needed and not str(settings.get(setting.name, "")).strip()
    ]


def _of_order(settings: Mapping[str, Any]) -> list[Wrong]:
    found = []
    for first, second, more in ORDERED:
        if first not in settings or second not in settings:
            continue
        if (settings[second] < settings[first]) if more else (settings[second] > settings[first]):
            found.append(Wrong(second, f"must not be {'less' if more else 'more'} than {first}"))
    return found


def _of_url(settings: Mapping[str, Any]) -> list[Wrong]:
    """No user and password in it: it would stand in clear on the admin's page. There is a field for the header."""
    if "url" not in settings:
        return []
    try:
        parts = urlsplit(settings["url"].strip())
        sound = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        sound = False
    if not sound or not settings["url"].strip().isprintable() or " " in settings["url"].strip():
        return [Wrong("url", "must be an address such as https://prices.example.com/health")]
    if parts.username is not None or parts.password is not None:
        return [Wrong("url", "must not hold a user or password; give them as the Authorization header")]
    return []
