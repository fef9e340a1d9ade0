"""The metrics of circuit breakers, counted from what processes report of them, each under its client."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from monitoring.breakers.hooks import Metered, register_meter
from monitoring.metrics.checking import Change, Ident
from monitoring.metrics.ingest import keep_reported
from monitoring.metrics.models import Series
from monitoring.metrics.values import STALE

STATE = "circuit_breaker_state"
CHANGES = "circuit_breaker_transitions_total"
REJECTED = "circuit_breaker_rejected_total"
OPEN_SECONDS = "circuit_breaker_open_seconds_total"


def register() -> None:
    register_meter(meter)


def meter(client: str, metered: Sequence[Metered], now: datetime) -> None:
    """In the report's transaction."""
    changes: dict[Ident, Change] = {}
    for one in metered:
        name = one.breaker
        changes[Ident(STATE, (name,))] = _gauge(one.states)
        changes[Ident(REJECTED, (name,))] = Change(total=one.rejected)
        changes[Ident(OPEN_SECONDS, (name,))] = Change(total=one.open_s)
        for to, count in one.changes.items():
            changes[Ident(CHANGES, (name, to))] = Change(total=count)
    if not changes:
        return
    keep_reported(changes, client=client, slot=f"breakers-{uuid4().hex}", now=now)
    # A state is reported every few seconds. One that is not any more must not stand at /metrics for ever.
    states = Series.objects.filter(
        name=STATE, client=client, labels__name__in=[one.breaker for one in metered]
    )
    states.update(shown_until=now + STALE)


def _gauge(states: Sequence[int]) -> Change:
    """All that it was since the report before, so that a minute knows of an opening that was over soon."""
    values: list[Any] = [float(state) for state in states]
    return Change(sum(values), len(values), min(values), max(values), values[-1])
