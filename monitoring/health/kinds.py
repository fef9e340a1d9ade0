"""What there is to tune of each kind of component, with defaults and bounds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from alerts.choices import Priority
from monitoring.health.choices import Kind

LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Number:
    """A setting from `least` to `most`."""

    name: str
    default: float
    least: float
    most: float
    help: str


@dataclass(frozen=True, slots=True)
class Text:
    """`needed`: a target is nothing without it. `fixed`: it says what the component is, so nobody changes it."""

    name: str
    help: str
    default: str = ""
    needed: bool = False
    fixed: bool = False


Setting = Number | Text


@dataclass(frozen=True, slots=True, kw_only=True)
class KindInfo:
    """`essential`: the console is unhealthy when this is, else degraded at most. `priority`: of the alert when it is unhealthy.

    `follows`: kinds whose failure explains this one's, so that it is not told beside it.
    """

    settings: tuple[Setting, ...] = ()
    essential: bool = True
    interval: int = 10
    budget: float = 3.0
    failures: int = 2
    recoveries: int = 2
    priority: Priority = Priority.HIGH
    follows: tuple[Kind, ...] = ()

    def defaults(self) -> dict[str, Any]:
        return {setting.name: setting.default for setting in self.settings}


def _slow(default: float, worse: float) -> tuple[Number, Number]:
    return (
        Number("degraded_ms", default, 1, 60_000, "Degraded from so many milliseconds on."),
        Number("unhealthy_ms", worse, 1, 60_000, "Unhealthy from so many milliseconds on."),
    )


def _used(degraded: float, unhealthy: float, of: str) -> tuple[Number, Number]:
    return (
        Number("degraded_pct", degraded, 1, 100, f"Degraded when so many percent {of} are in use."),
        Number("unhealthy_pct", unhealthy, 1, 100, f"Unhealthy when so many percent {of} are in use."),
    )


def _old(degraded: float, unhealthy: float, what: str) -> tuple[Number, Number]:
    return (
        Number("degraded_s", degraded, 1, 86_400, f"Degraded when {what} for so many seconds."),
        Number("unhealthy_s", unhealthy, 1, 86_400, f"Unhealthy when {what} for so many seconds."),
    )


_INFOS = {
    # What carries other alerts must be told in a way that needs none of it: CRITICAL goes while Redis and workers are down.
    Kind.REDIS: KindInfo(
        settings=(*_slow(100, 1000), *_used(80, 95, "of its memory limit")),
        budget=1.0,
        priority=Priority.CRITICAL,
    ),
    Kind.DATABASE: KindInfo(
        settings=(
            *_slow(100, 1000),
            Number("lag_degraded_s", 10, 1, 86_400, "Degraded when a standby is so many seconds behind."),
            Number("lag_unhealthy_s", 300, 1, 86_400, "Unhealthy when a standby is so many seconds behind."),
            Number("connections_degraded_pct", 80, 1, 100, "Degraded when so many percent are in use."),
            Number("connections_unhealthy_pct", 95, 1, 100, "Unhealthy when so many percent are in use."),
            Number("transaction_degraded_s", 300, 1, 86_400, "Degraded by a transaction of so many seconds."),
            Number(
                "transaction_unhealthy_s", 3600, 1, 86_400, "Unhealthy by a transaction of so many seconds."
            ),
        ),
        priority=Priority.CRITICAL,
    ),
    Kind.DISK: KindInfo(
        settings=(
            *_used(85, 95, "of a mount"),
            Text("paths", "Further folders whose mounts matter, one a line. Always: the console's own."),
        ),
    ),
    Kind.MEMORY: KindInfo(settings=_used(85, 95, "of memory")),
    # Busy is slow, not dead.
    Kind.CPU: KindInfo(
        settings=_used(85, 97, "of the processors"), essential=False, failures=4, priority=Priority.MEDIUM
    ),
    Kind.WORKER: KindInfo(
        settings=(
            Text("queue", "The queue that its job goes through.", default="default", fixed=True),
            *_slow(1500, 60_000),
        ),
        priority=Priority.CRITICAL,
        follows=(Kind.REDIS,),
    ),
    Kind.BEAT: KindInfo(
        settings=_old(4, 5, "it has not ticked"), priority=Priority.CRITICAL, follows=(Kind.REDIS,)
    ),
    Kind.OUTBOX: KindInfo(
        settings=(
            *_old(30, 120, "a delivery has been due"),
            Number("dead_degraded", 1, 1, 1_000_000, "Degraded when so many were given up within a day."),
        ),
        priority=Priority.CRITICAL,
        follows=(Kind.REDIS, Kind.WORKER),
    ),
    Kind.HUB: KindInfo(settings=_old(4, 5, "no hub has been heard of"), priority=Priority.CRITICAL),
    # Nothing that trades depends on it. The web processes seal, beside their hubs.
    Kind.SEALING: KindInfo(
        settings=_old(30, 120, "an event has waited to be sealed"), essential=False, follows=(Kind.HUB,)
    ),
    Kind.CLIENT: KindInfo(settings=(Text("client", "Its name.", fixed=True),), essential=False),
    Kind.CERTIFICATE: KindInfo(
        settings=(
            Text("host", "Name or address.", needed=True),
            Number("port", 443, 1, 65_535, "Its port."),
            Number("degraded_days", 21, 0, 1000, "Degraded when it expires in so many days."),
            Number("unhealthy_days", 7, 0, 1000, "Unhealthy when it expires in so many days."),
        ),
        essential=False,
        interval=3600,
        budget=5.0,
    ),
    Kind.HTTP: KindInfo(
        settings=(
            Text("url", "http:// or https://, without user and password.", needed=True),
            Number("status_from", 200, 100, 599, "The lowest status that is well."),
            Number("status_to", 399, 100, 599, "The highest status that is well."),
            Text("contains", "A text that the beginning of the answer must contain (64 KiB are read)."),
            *_slow(2000, 60_000),
        ),
        essential=False,
        interval=30,
        budget=5.0,
    ),
    Kind.TCP: KindInfo(
        settings=(
            Text("host", "Name or address.", needed=True),
            Number("port", 443, 1, 65_535, "Its port."),
            *_slow(1000, 60_000),
        ),
        essential=False,
        interval=30,
        budget=5.0,
    ),
}
KINDS: Mapping[Kind, KindInfo] = MappingProxyType(_INFOS)


def settings_of(kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    """What counts: the defaults, and over them what a row has of its own."""
    return KINDS[kind].defaults() | {name: given[name] for name in given if name in KINDS[kind].defaults()}
