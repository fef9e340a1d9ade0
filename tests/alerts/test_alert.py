"""POST test: guide 3.6, as printed."""

from datetime import timedelta
from typing import Any

import pytest

from alerts.models import Alert, AlertRule, Delivery
from opsconsole.accounts.models import User
from tests.alerts.rows import a_channel
from tests.cast import caller

URL = "/monitoring/alerts/test"
GUIDE = {"category": "TRADING_SIGNAL", "priority": "HIGH", "message": "Test alert from API"}


@pytest.fixture
def by_day(db: None) -> None:
    """Without quiet hours, whatever the time."""
    AlertRule.objects.update(quiet_start=0, quiet_end=0)


def test_needs_the_right_to_raise(bob: User) -> None:
    assert (caller(bob).post(URL, GUIDE).status_code, Alert.objects.count()) == (403, 0)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"category": "X"}, "category"),
        ({"priority": "X"}, "priority"),
        ({"message": "\x00"}, "message"),
        ({"force": True}, "force"),
    ],
)
def test_what_cannot_be_used_is_named(alice: User, values: dict[str, Any], field: str) -> None:
    answer = caller(alice).post(URL, GUIDE | values)
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [field])


def test_is_a_real_alert_that_says_it_is_a_test(alice: User, by_day: None) -> None:
    a_channel("desk")
    a_channel("night", min_priority="CRITICAL")
    a_channel("off", enabled=False)
    a_channel("costs", categories=["COST_ALERT"])
    a_channel("boss", escalation=1)
    answer = caller(alice).post(URL, GUIDE)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["decision"], body["reason"]) == ("SENT", "sent: every gate let it through")
    alert = Alert.objects.get(pk=body["id"])
    assert (alert.title, alert.labels, alert.source) == ("Test alert from API", {"test": "true"}, "test")
    assert alert.ends_at is not None
    assert timedelta(minutes=9) < alert.ends_at - alert.first_at <= timedelta(minutes=10)
    delivery = Delivery.objects.get()
    assert body["channels"][0] == {
        "channel": "desk",
        "kind": "webhook",
        "delivery": delivery.pk,
        "state": "PENDING",
        "why": "told",
    }
    assert {row["channel"]: row["why"] for row in body["channels"][1:]} == {
        "night": "told only from CRITICAL on",
        "off": "the channel is off",
        "costs": "told only of COST_ALERT",
        "boss": "told only by escalation 1",
    }


def test_takes_the_guides_form_too_and_a_message_is_not_needed(alice: User, by_day: None) -> None:
    client = caller(alice)
    answer = client.post(
        URL, "category=COST_ALERT&priority=LOW", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 201
    assert Alert.objects.get().title == "Test alert"


def test_says_why_nobody_was_told(alice: User, by_day: None) -> None:
    a_channel("desk")
    AlertRule.objects.filter(category="TRADING_SIGNAL").update(enabled=False)
    body = caller(alice).post(URL, GUIDE).json()
    assert (body["decision"], body["channels"][0]["why"]) == ("DISABLED", "the alert was not sent")
    assert body["reason"].startswith("suppressed: ")
