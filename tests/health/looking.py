"""Components as the tests look at them: results are handed in, not found."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from alerts.models import Submission
from monitoring.health.checks.base import Result
from monitoring.health.choices import Status
from monitoring.health.models import HealthChange, HealthComponent
from monitoring.health.storing import Outcome, store

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def component(slug: str = "redis", **values: Any) -> HealthComponent:
    """One that every console has, with these values."""
    HealthComponent.objects.filter(slug=slug).update(due_at=NOW, **values)
    return HealthComponent.objects.get(slug=slug)


def found(
    row: HealthComponent, status: str, *, now: datetime, message: str = "", **metadata: Any
) -> list[HealthChange]:
    """Claim it, and store that a check has found this."""
    row.claim = uuid4()
    HealthComponent.objects.filter(pk=row.pk).update(claim=row.claim)
    result = Result(Status(status), message or f"It is {status}", 1.5, metadata)
    changes = store(outcomes=[Outcome(row.pk, row.claim, result, "host-1")], now=now)
    row.refresh_from_db()
    return changes


def submitted() -> list[tuple[str, str, bool]]:
    """Title, priority and whether it says that it is over, of health's alerts that wait for their decision."""
    rows = Submission.objects.filter(alert__source="health").order_by("pk")
    return [(row.alert["title"], row.alert["priority"], row.alert["resolved"]) for row in rows]
