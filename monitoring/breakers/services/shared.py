"""The shared state of a breaker, between its row and the rules."""

from datetime import datetime

from monitoring.breakers.choices import State
from monitoring.breakers.models import CircuitBreaker
from monitoring.breakers.sharing import Shared

FIELDS = [
    *("shared", "shared_generation", "shared_at", "shared_version", "shared_until", "shared_openings"),
    *("probe_instance", "probe_until", "version"),
]


def shared_of(row: CircuitBreaker) -> Shared:
    return Shared(
        state=State(row.shared) if row.shared else None,
        generation=row.shared_generation,
        until=row.shared_until,
        openings=row.shared_openings,
        prober=row.probe_instance,
        probe_until=row.probe_until,
    )


def put(row: CircuitBreaker, shared: Shared, *, version: int, now: datetime) -> None:
    """Into the row, unsaved."""
    row.shared = shared.state or ""
    row.shared_generation, row.shared_openings = shared.generation, shared.openings
    row.shared_until, row.shared_at = shared.until, now
    row.probe_instance, row.probe_until = shared.prober, shared.probe_until
    row.shared_version = row.version = version


def store(row: CircuitBreaker, shared: Shared, *, version: int, now: datetime) -> None:
    put(row, shared, version=version, now=now)
    row.save(update_fields=FIELDS)
