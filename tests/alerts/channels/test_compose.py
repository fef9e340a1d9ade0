"""Rows as messages."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from alerts.channels.compose import message_of
from alerts.channels.message import Button
from alerts.channels.webhook import body_of
from alerts.choices import AlertState, DeliveryKind, Priority
from alerts.models import Alert, Delivery
from opsconsole.accounts.models import User
from tests.alerts.rows import NOW, firing

pytestmark = pytest.mark.django_db


def delivery(alert: Alert | None = None, **fields: Any) -> Delivery:
    given = {"alert": alert, "channel_name": "desk", "kind": "firing", "priority": "HIGH", "attempts": 2}
    return Delivery(**given | fields, created_at=NOW, due_at=NOW)


def test_an_alert(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://ops.example"
    alert = firing(
        message="Too wild",
        annotations={"runbook_url": "https://wiki.example/vol"},
        labels={"alertname": "Volatility", "symbol": "TSLA"},
        details={"drawdown": -5.2, "orders": ["a", "b"], "open": True, "limit": None, "by": {"desk": 3}},
    )
    told = message_of(delivery(alert, maybe_duplicate=True), buttons=[Button("Go", "t")], now=NOW)
    assert (told.kind, told.priority, told.state) == (DeliveryKind.FIRING, Priority.HIGH, AlertState.FIRING)
    assert (told.title, told.text, told.thread) == ("Volatility of TSLA", "Too wild", f"alert-{alert.pk}")
    assert told.facts == (
        ("Runbook", "https://wiki.example/vol"),
        ("symbol", "TSLA"),
        ("drawdown", "-5.2"),
        ("orders", "a, b"),
        ("open", "yes"),
        ("limit", "unknown"),
        ("by", "desk: 3"),
    )
    assert told.alert_url == f"https://ops.example/alerts/{alert.pk}"
    assert (told.attempt, told.maybe_duplicate, told.buttons) == (2, True, (Button("Go", "t"),))
    assert told.due_at == NOW + timedelta(minutes=15)


def test_without_an_address_of_the_console_there_is_no_link() -> None:
    assert message_of(delivery(firing()), now=NOW).alert_url == ""


def test_what_prometheus_says_of_it_stands_in_for_a_message() -> None:
    alert = firing(annotations={"summary": "short", "description": "long"})
    assert message_of(delivery(alert), now=NOW).text == "long"


def test_the_owner_is_who_acknowledged_it(alice: User) -> None:
    alert = firing(assignee=alice)
    assigned = message_of(delivery(alert), now=NOW)
    alert.acknowledged_at, alert.acknowledged_by = NOW, "dana"
    owned = message_of(delivery(alert), now=NOW)
    assert (assigned.owner, assigned.acknowledged) == ("alice", False)
    assert (owned.owner, owned.acknowledged) == ("dana", True)


def test_needs_no_query_for_an_alert_that_was_read(alice: User) -> None:
    alert = Alert.objects.select_related("assignee").get(pk=firing(assignee=alice).pk)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        message_of(delivery(alert), now=NOW)
    assert len(queries) == 0


def test_a_program_gets_the_alert_as_json() -> None:
    alert = firing(labels={"symbol": "TSLA"})
    sent = json.loads(body_of(message_of(delivery(alert), now=NOW)))
    assert sent["alert"]["id"] == alert.pk
    assert sent["alert"]["labels"] == {"symbol": "TSLA"}
    assert sent["alert"]["first_at"] == "2026-11-23T14:00:00Z"
    assert sent["alert"]["resolved_at"] is None
    assert (sent["kind"], sent["attempt"], sent["alert"]["state"]) == ("firing", 2, "FIRING")


def test_a_test() -> None:
    told = message_of(delivery(kind="test", content={"by": "sam"}), now=NOW)
    assert told.title == "Test of the channel desk"
    assert told.text == "Sent by sam to see whether it arrives. Nothing is wrong."


def test_a_digest() -> None:
    line = {"alert": 7, "priority": "LOW", "category": "COST_ALERT", "title": "Cost", "count": 3}
    content = {
        "reason": "quiet_hours",
        "total": 1_240,
        "by_category": {"RISK_WARNING": 2, "COST_ALERT": 1_238},
        "lines": [{**line, "at": "2026-11-23T13:05:00Z"}] * 40,
    }
    told = message_of(delivery(kind="digest", content=content), now=NOW)
    assert told.title == "1,240 alerts held during quiet hours"
    assert told.facts == (("COST_ALERT", "1,238"), ("RISK_WARNING", "2"))
    assert told.lines[0] == "13:05 LOW Cost ×3"
    assert len(told.lines) == 30
    assert json.loads(body_of(told))["digest"]["total"] == 1_240


def test_a_digest_without_anything_in_it_is_no_error() -> None:
    assert message_of(delivery(kind="digest", content={}), now=NOW).title == "0 alerts told together"
