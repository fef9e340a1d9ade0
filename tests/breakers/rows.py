"""Breakers, processes and changes as rows, for tests of what is read: many at once, at any time."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from monitoring.breakers.models import BreakerProcess, BreakerState, BreakerTransition, CircuitBreaker
from tests.breakers.reporting import CONFIG


def breakers(names: Iterable[str], *, now: datetime, **values: Any) -> list[CircuitBreaker]:
    return CircuitBreaker.objects.bulk_create(
        CircuitBreaker(**{"name": name, "first_seen": now - timedelta(days=30)} | values) for name in names
    )


def processes(names: Iterable[str], *, now: datetime, **values: Any) -> list[BreakerProcess]:
    """That reported three seconds ago, and for a day before."""
    seen = {"first_seen": now - timedelta(days=1), "reported_at": now - timedelta(seconds=3)}
    return BreakerProcess.objects.bulk_create(
        BreakerProcess(**{"name": name, "instance": uuid4().hex} | seen | values) for name in names
    )


def states(
    of: Sequence[CircuitBreaker],
    by: Sequence[BreakerProcess],
    state: str = "CLOSED",
    *,
    now: datetime,
    **values: Any,
) -> None:
    """Each breaker in each process, for twenty minutes now."""
    since = now - timedelta(minutes=20)
    usual = {
        "state": state,
        "since": since,
        "failing_since": None if state == "CLOSED" else since,
        "reported_at": now,
        "config": CONFIG,
        "own_config": CONFIG,
        "success": 90,
        "failure": 5,
        "calls": 50,
        "failure_rate": 0.4,
    }
    BreakerState.objects.bulk_create(
        (
            BreakerState(**usual | {"breaker": breaker, "process": process} | values)
            for breaker in of
            for process in by
        ),
        batch_size=2000,
    )


def change(
    breaker: CircuitBreaker,
    to: str,
    at: datetime,
    *,
    client: str = "AAPL",
    before: str = "CLOSED",
    **values: Any,
) -> BreakerTransition:
    """After a minute in the state before."""
    usual = {
        "instance": "0" * 32,
        "seq": BreakerTransition.objects.count() + 1,
        "in_previous_s": 60.0,
        "why": "failure_threshold",
        "cause_type": "HTTPError",
        "cause_text": "503 Service Unavailable",
        "received_at": at,
    }
    told = {"breaker": breaker, "client": client, "from_state": before, "to_state": to, "at": at}
    return BreakerTransition.objects.create(**usual | told | values)
