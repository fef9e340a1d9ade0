"""One word for the whole system, and why: may I go to lunch?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from alerts import board as alerts
from alerts.choices import Priority
from killswitch.choices import Mode
from killswitch.models import Switch, TradingClient
from killswitch.state import GLOBAL
from monitoring.breakers.choices import State
from monitoring.breakers.models import BreakerState
from monitoring.breakers.presence import present
from monitoring.health import selectors
from monitoring.health.choices import Status
from monitoring.health.selectors import Board
from monitoring.health.watchdog import selectors as watchdog
from monitoring.health.watchdog.stages import Stage

# Names that are written out; the rest is counted.
NAMED = 5


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """Of those that need somebody: told, firing, and owned by nobody."""

    unacknowledged: int
    overdue: int
    urgent: int


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """`stops`: mode by scope, of all that are not ACTIVE. `breakers`: names of those that are open. `why`: sentences, the weightiest first."""

    now: datetime
    word: str
    why: Sequence[str]
    trading_allowed: bool
    mode: str
    stops: dict[str, str]
    board: Board
    breakers: Sequence[str]
    alerts: AlertCounts
    clients_connected: int
    # Where the watchdog's canary stays away; None: it comes through.
    dead: Stage | None


def open_breakers(now: datetime) -> Sequence[str]:
    """Names of circuit breakers that are open in any process that is there. One query."""
    rows = BreakerState.objects.filter(present(now, "process__"), state=State.OPEN)
    return list(rows.order_by("breaker__name").values_list("breaker__name", flat=True).distinct())


def status(*, now: datetime | None = None) -> SystemStatus:
    """Few short queries, whatever there is of anything."""
    moment = now or timezone.now()
    stops = dict(Switch.objects.exclude(mode=Mode.ACTIVE).order_by("scope").values_list("scope", "mode"))
    found = selectors.board(now=moment)
    breakers = open_breakers(moment)
    counts = _alerts(moment)
    watch = watchdog.told()
    dead = Stage(watch.late) if watch and watch.late else None
    mode = stops.get(GLOBAL, str(Mode.ACTIVE))
    word = _word(mode, stops, found.status, [*breakers], counts, dead)
    return SystemStatus(
        now=moment,
        word=word,
        why=_why(stops, found, breakers, counts, dead),
        trading_allowed=mode == Mode.ACTIVE,
        mode=mode,
        stops=stops,
        board=found,
        breakers=breakers,
        alerts=counts,
        clients_connected=TradingClient.objects.exclude(hub="").count(),
        dead=dead,
    )


def as_json(found: SystemStatus) -> dict[str, Any]:
    return {
        "status": found.word,
        "timestamp": found.now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "why": list(found.why),
        "trading_allowed": found.trading_allowed,
        "mode": found.mode,
        "stopped_scopes": list(found.stops),
        "health": found.board.status,
        "abnormal": [one.row.name for one in found.board.abnormal],
        "stale": [one.row.name for one in found.board.stale],
        "open_breakers": list(found.breakers),
        "watchdog_dead": found.dead,
        "alerts": {
            "unacknowledged": found.alerts.unacknowledged,
            "overdue": found.alerts.overdue,
            "urgent": found.alerts.urgent,
        },
        "clients_connected": found.clients_connected,
    }


def _alerts(now: datetime) -> AlertCounts:
    found = alerts.unowned(now).aggregate(
        all=Count("id"),
        overdue=Count("id", filter=Q(due_at__lte=now)),
        urgent=Count("id", filter=Q(priority__in=(Priority.CRITICAL, Priority.HIGH))),
    )
    return AlertCounts(found["all"], found["overdue"], found["urgent"])


def _word(
    mode: str,
    stops: dict[str, str],
    health: Status,
    breakers: list[str],
    counts: AlertCounts,
    dead: Stage | None,
) -> str:
    """A stop of everything comes first: whatever else is wrong, nobody trades."""
    if mode != Mode.ACTIVE:
        return "halted"
    if health == Status.UNHEALTHY:
        return "down"
    well = health == Status.HEALTHY and not (stops or breakers or counts.urgent or counts.overdue or dead)
    return "operational" if well else "degraded"


def _why(
    stops: dict[str, str],
    found: Board,
    breakers: Sequence[str],
    counts: AlertCounts,
    dead: Stage | None,
) -> list[str]:
    """Empty when nothing is the matter."""
    said = []
    if GLOBAL in stops:
        said.append("Trading is halted" if stops[GLOBAL] == Mode.HALTED else "Positions may only be reduced")
    if scopes := [scope for scope in stops if scope != GLOBAL]:
        said.append(f"Stopped: {listed(scopes)}")
    said += [f"{one.row.name} is {one.status}: {one.message}" for one in found.abnormal[:NAMED]]
    if (rest := len(found.abnormal) - NAMED) > 0:
        said.append(f"{rest} more components are not healthy")
    if found.stale:
        said.append(
            f"Nothing is known of {listed([one.row.name for one in found.stale])}: not looked at in time"
        )
    if dead:
        said.append(f"The watchdog's canary does not come through: {dead.label.lower()} is dead")
    if breakers:
        said.append(f"Open circuit {'breaker' if len(breakers) == 1 else 'breakers'}: {listed(breakers)}")
    if counts.unacknowledged:
        some = "1 alert needs" if counts.unacknowledged == 1 else f"{counts.unacknowledged:,} alerts need"
        late = f", {counts.overdue:,} overdue" if counts.overdue else ""
        said.append(f"{some} somebody{late}")
    return said


def listed(names: Sequence[str]) -> str:
    """`A, B and 3 more`."""
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
