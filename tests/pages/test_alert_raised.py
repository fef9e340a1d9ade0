"""Alerts as the engine decides them, on the page: its traces are what the story tells."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from alerts.choices import Category, Decision, Priority
from alerts.models import Alert, AlertRule
from alerts.services.raised import RaisedAlert
from alerts.services.raising import raise_alerts
from opsconsole.accounts.models import User
from opsconsole.audit.actor import Actor
from tests.alert_rows import a_channel, a_silence
from tests.pages.browse import Browse

pytestmark = pytest.mark.django_db
AWAKE = {"quiet_start": 0, "quiet_end": 0}


def raised(client: Client, **values: object) -> str:
    """The text of the page of the alert that comes of it."""
    given = {
        "category": Category.RISK_WARNING,
        "priority": Priority.HIGH,
        "title": "IBM volatility",
        "labels": {"symbol": "IBM"},
        "source": "api",
    }
    outcome = raise_alerts(actor=Actor.system("tests"), alerts=[RaisedAlert(**{**given, **values})])[0]  # type: ignore[arg-type]  # a test's own values
    html = client.get(f"/alerts/{outcome.alert_id}").content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


@pytest.fixture(autouse=True)
def _awake(db: None) -> None:
    AlertRule.objects.update(**AWAKE)


def test_sent_then_a_duplicate(bob: User, browse: Browse) -> None:
    client = browse(bob)
    a_channel()
    text = raised(client)
    assert "Every gate let it through" in text
    assert "Rate limit 1st of 20 this hour" in text
    assert "Dedupe the same alert was not sent before; window 15 minutes" in text
    text = raised(client)
    assert "Why you got this" in text
    assert "2 times" in text
    assert "Dedupe" in text


def test_forced(bob: User, browse: Browse) -> None:
    assert "forced, so no other gate is asked" in raised(browse(bob), force=True)


def test_silenced(bob: User, browse: Browse) -> None:
    a_silence(comment="deploy")
    text = raised(browse(bob))
    assert "Why you did not get this" in text
    assert "silenced by dana until" in text
    assert "“deploy”" in text


def test_rule_off_and_below_minimum(bob: User, browse: Browse) -> None:
    client = browse(bob)
    AlertRule.objects.update(enabled=False)
    assert "the rule of this category is switched off" in raised(client)
    AlertRule.objects.update(enabled=True, min_priority=Priority.CRITICAL)
    assert "HIGH is below what the rule asks for: CRITICAL or more" in raised(client, title="another")


def test_rate_limited(bob: User, browse: Browse) -> None:
    client = browse(bob)
    AlertRule.objects.update(max_per_hour=1)
    raised(client)
    assert "1 were sent this hour; limit 1" in raised(client, title="another")


def test_quiet_hours(bob: User, browse: Browse) -> None:
    hour = timezone.localtime().hour
    AlertRule.objects.update(quiet_start=hour, quiet_end=(hour + 2) % 24)
    text = raised(browse(bob))
    assert "is within quiet hours" in text
    assert "told in the digest at" in text
    assert "Now: held until the quiet hours end" in text
    assert Alert.objects.get().decision == Decision.QUIET_HOURS


def test_resolved_by_its_sender(bob: User, browse: Browse) -> None:
    client = browse(bob)
    began = timezone.now() - timedelta(minutes=5)
    raised(client, starts_at=began)
    text = raised(client, resolved=True)
    assert "It stopped firing" in text or "resolved it" in text
    assert "It began 5 minutes before it reached the console." in text
