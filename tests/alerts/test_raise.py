"""Raising alerts: refusals, then what becomes of them, what is written and what is told."""

from datetime import UTC, datetime

import pytest

from alerts.choices import Decision
from alerts.models import Alert
from alerts.services.raised import RaisedAlert
from alerts.services.raising import raise_alerts
from tests.cast import ROOT

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def test_first_alert_is_sent() -> None:
    outcome = raise_alerts(
        actor=ROOT, alerts=[RaisedAlert(category="RISK_WARNING", title="a", source="api")], now=NOON
    )[0]
    assert outcome.decision == Decision.SENT
    alert = Alert.objects.get()
