"""Trading processes, by the name of their client: all of them in one read, however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from killswitch.models import TradingClient
from monitoring.health.checks.base import Result
from monitoring.health.choices import Status

# One that went longer ago is not missed any more.
MISSED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """One process of a client, as the kill switch knows it."""

    connected: bool
    covered: bool
    left: bool
    first_seen: datetime
    last_seen: datetime
    host: str
    pid: int | None
    overridden: bool
    stopped: bool


def look(names: Sequence[str], now: datetime) -> list[Result]:
    """One result for each name, in their order."""
    found: dict[str, list[Seen]] = {name: [] for name in names}
    recent = TradingClient.objects.filter(name__in=names, last_seen__gt=now - MISSED).order_by(
        "first_seen", "pk"
    )
    for client in recent:
        found[client.name].append(
            Seen(
                connected=client.connected,
                covered=client.lease_until is not None and client.lease_until > now,
                left=client.left_at is not None,
                first_seen=client.first_seen,
                last_seen=client.last_seen,
                host=client.host,
                pid=client.pid,
                overridden=client.override is not None,
                stopped=client.local_stop is not None,
            )
        )
    return [judged(found[name], now) for name in names]


def judged(processes: Sequence[Seen], now: datetime) -> Result:
    """Of one client's processes, the oldest first. One that has a successor is not missed."""
    connected = [process for process in processes if process.connected]
    missed = [
        process
        for process in processes
        if not process.connected
        and not process.left
        and not any(other.first_seen > process.first_seen for other in processes)
    ]
    newest = max(processes, key=lambda process: process.last_seen, default=None)
    metadata = {
        "processes": len(connected),
        "missed": len(missed),
        "host": newest.host if newest else "",
        "pid": newest.pid if newest else None,
        "last_seen": newest.last_seen.isoformat() if newest else None,
    }
    status, message = _status(connected, missed, now)
    return Result(status, message, metadata=metadata)


def _status(connected: Sequence[Seen], missed: Sequence[Seen], now: datetime) -> tuple[Status, str]:
    if missed and not connected:
        age = max((now - process.last_seen).total_seconds() for process in missed)
        return Status.UNHEALTHY, f"No contact for {age:,.0f} s, and it did not say goodbye"
    if not connected:
        return Status.UNKNOWN, "It does not run: it has ended in good order"
    if missed:
        return Status.DEGRADED, f"{len(missed)} of its processes is gone without a goodbye"
    if not all(process.covered for process in connected):
        return Status.DEGRADED, "Connected, but its hub has not been heard of"
    if any(process.overridden for process in connected):
        return Status.DEGRADED, "Connected, and it overrides stops"
    if any(process.stopped for process in connected):
        return Status.DEGRADED, "Connected, and stopped on its own host"
    return Status.HEALTHY, "Connected"
