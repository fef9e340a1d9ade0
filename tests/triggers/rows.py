"""Triggers of the tests' own, and what they read."""

from datetime import datetime
from typing import Any

from alerts.models import Submission
from killswitch.models import Switch
from monitoring.metrics.models import Hour, Minute, Series
from monitoring.triggers.models import Trigger, TriggerState
from monitoring.triggers.services import create
from tests.cast import ROOT
from tests.metrics.series import NOW, a_series

GAUGE = "portfolio_daily_pnl_usd"
LOSS: dict[str, Any] = {
    "name": "loss",
    "metric": GAUGE,
    "aggregate": "SUM",
    "comparison": "BELOW",
    "threshold": -5000,
    "action": "STOP",
    "stop_reason": "DAILY_LOSS_LIMIT",
}


def only(**values: Any) -> Trigger:
    """The only trigger that there is."""
    Trigger.objects.all().delete()
    return create(actor=ROOT, values=LOSS | values, reason="for a test", now=NOW)


def state_of(trigger: Trigger) -> TriggerState:
    return TriggerState.objects.get(pk=trigger.pk)


def report(name: str, value: float, *, at: datetime, client: str = "desk-1", **labels: str) -> Series:
    """As a batch leaves it: a new series, or a newer value."""
    known = Series.objects.filter(name=name, client=client)
    if labels:
        known = known.filter(labels__contains=labels)
    if known.update(value=value, at=at, received_at=at):
        return known.get()
    return a_series(name, value, client=client, labels=labels, at=at)


def minute(series: Series, at: datetime, total: float) -> None:
    Minute.objects.create(series=series, at=at.replace(second=0, microsecond=0), total=total, count=1)


def hour(series: Series, at: datetime, total: float) -> None:
    Hour.objects.create(series=series, at=at.replace(minute=0, second=0, microsecond=0), total=total, count=1)


def told() -> list[tuple[str, bool]]:
    """Titles of the triggers' alerts that wait for their decision, and whether they say that it is over."""
    rows = Submission.objects.filter(alert__source="triggers").order_by("pk")
    return [(row.alert["title"], row.alert["resolved"]) for row in rows]


def mode(scope: str = "global") -> str:
    return Switch.objects.filter(scope=scope).values_list("mode", flat=True).first() or "ACTIVE"
