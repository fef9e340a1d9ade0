"""Helpers of tests that raise alerts at times of their own."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from alerts.choices import ChannelKind
from alerts.locking import bump_policy, lock_decisions
from alerts.models import Alert, AlertRule, Channel
from alerts.services.raised import Outcome, RaisedAlert
from alerts.services.raising import raise_alerts
from tests.cast import ROOT

NOON = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 23, 5, tzinfo=UTC)


def minutes(number: float, after: datetime = NOON) -> datetime:
    return after + timedelta(minutes=number)


def an_alert(title: str = "Volatility", **fields: Any) -> RaisedAlert:
    return RaisedAlert(**{"category": "RISK_WARNING", "title": title, "source": "tests"} | fields)


def raised(at: datetime, *alerts: RaisedAlert) -> list[Outcome]:
    return raise_alerts(actor=ROOT, alerts=alerts or [an_alert()], now=at)


def the(outcome: Outcome) -> Alert:
    assert outcome.alert_id is not None
    return Alert.objects.get(pk=outcome.alert_id)


def set_rule(category: str = "RISK_WARNING", **values: Any) -> None:
    """As the service of the rules does it: under the lock, and with a new version of the policy."""
    with transaction.atomic():
        lock_decisions()
        AlertRule.objects.filter(category=category).update(**values)
        bump_policy()


def a_channel(name: str = "desk", **fields: Any) -> Channel:
    return Channel.objects.create(
        name=name, kind=ChannelKind.WEBHOOK, created_at=NOON, updated_at=NOON, **fields
    )


def decisions(at: datetime, *alerts: Any) -> list[str]:
    return [str(outcome.decision) for outcome in raised(at, *alerts)]
