"""What is due and nobody owns is told again: more urgently, through more channels, until somebody owns it."""

from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from alerts import halts, tasks
from alerts.halts import Halt
from alerts.matching import Matcher
from alerts.models import Alert, AlertRule, Delivery, ResponseTime
from alerts.services import owning, silencing
from alerts.services.escalating import escalate_due
from alerts.services.raised import RaisedAlert
from alerts.services.raising import raise_alerts
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.rows import NOW, a_channel, firing
from tests.cast import ROOT, acting

MINUTE = timedelta(minutes=1)
DUE = NOW + 15 * MINUTE


def events() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action__startswith="alerts.escal").order_by("id"))


def told() -> list[tuple[str, str, str]]:
    rows = Delivery.objects.order_by("pk")
    return [(row.channel_name, row.kind, row.priority) for row in rows]


# What is not escalated


@pytest.mark.parametrize(
    "fields",
    [
        {"escalate_at": DUE + timedelta(milliseconds=1)},
        {"escalate_at": None},
        {"state": "RESOLVED", "resolved_at": NOW},
        {"acknowledged_at": NOW, "acknowledged_by": "alice"},
    ],
)
def test_what_is_not_due_or_owned_or_over(db: None, fields: dict[str, object]) -> None:
    a_channel()
    alert = firing(**fields)
    assert escalate_due(now=DUE) == 0
    alert.refresh_from_db()
    assert (alert.escalation, alert.priority) == (0, "HIGH")
    assert not Delivery.objects.exists()


def test_what_somebody_owns_by_now(alice: User) -> None:
    alert = firing()
    owning.acknowledge(actor=acting(alice), alert_id=alert.pk, note="", now=NOW)
    assert escalate_due(now=DUE) == 0


def test_what_is_silenced_is_withheld_until_the_silence_ends(db: None) -> None:
    a_channel()
    alert, ends = firing(), DUE + 30 * MINUTE
    silence = silencing.create(
        actor=ROOT,
        matchers=[Matcher("symbol", "TSLA")],
        starts_at=NOW,
        ends_at=ends,
        comment="known",
        now=NOW,
    )
    assert escalate_due(now=DUE) == 0
    alert.refresh_from_db()
    assert (alert.escalation, alert.escalate_at) == (0, ends)
    (event,) = events()
    assert (event.action, event.metadata["silence"]) == ("alerts.escalation_withheld", str(silence.pk))
    assert escalate_due(now=ends) == 1
    assert [event.action for event in events()] == ["alerts.escalation_withheld", "alerts.escalated"]


def test_what_is_expected_is_withheld_and_said_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    a_channel()
    stop = Halt(scope="global", since=NOW, activation=7)
    monkeypatch.setattr(halts, "_readers", [lambda: [stop]])
    alert = firing(labels={"expected_when": "halted"})
    for later in (DUE, DUE + 15 * MINUTE, DUE + 30 * MINUTE):
        assert escalate_due(now=later) == 0
    alert.refresh_from_db()
    assert alert.escalate_at == DUE + 45 * MINUTE
    assert [event.metadata for event in events()] == [{"halt": "global", "activation": 7}]
    assert "while global is stopped" in events()[0].reason
    monkeypatch.setattr(halts, "_readers", [])
    assert escalate_due(now=DUE + 45 * MINUTE) == 1


# What is


def test_is_told_more_urgently_through_the_next_channel(db: None) -> None:
    a_channel("desk"), a_channel("boss", escalation=1), a_channel("pager", escalation=2)
    alert = firing()
    assert escalate_due(now=DUE) == 1
    alert.refresh_from_db()
    assert (alert.escalation, alert.priority, alert.due_at) == (1, "CRITICAL", DUE)
    assert alert.escalate_at == DUE + 5 * MINUTE
    assert sorted(told()) == [("boss", "escalation", "CRITICAL"), ("desk", "escalation", "CRITICAL")]
    assert escalate_due(now=DUE + 5 * MINUTE) == 1
    assert sorted(told()[2:]) == [
        ("boss", "escalation", "CRITICAL"),
        ("desk", "escalation", "CRITICAL"),
        ("pager", "escalation", "CRITICAL"),
    ]


def test_is_in_the_trail_as_the_consoles_own_act(db: None) -> None:
    a_channel()
    firing()
    escalate_due(now=DUE)
    (event,) = events()
    assert event.before is not None
    assert event.after is not None
    assert (event.actor_kind, event.actor_name, event.reason) == (
        "system",
        "alerts",
        "Overdue, and nobody owns it",
    )
    assert (event.before["priority"], event.after["priority"]) == ("HIGH", "CRITICAL")
    assert (event.before["escalation"], event.after["escalation"]) == (0, 1)
    assert event.metadata == {"channels": ["desk"]}


@pytest.mark.parametrize(
    "fields",
    [
        {"enabled": False},
        {"escalation": 2},
        {"categories": ["COST_ALERT"]},
    ],
)
def test_channels_that_are_not_concerned(db: None, fields: dict[str, Any]) -> None:
    a_channel(**fields)
    alert = firing()
    escalate_due(now=DUE)
    alert.refresh_from_db()
    assert alert.escalation == 1
    assert told() == []


def test_a_channel_for_the_urgent_hears_of_it_once_it_is(db: None) -> None:
    a_channel("urgent", min_priority="HIGH")
    firing(priority="LOW")
    escalate_due(now=DUE)
    assert told() == []
    escalate_due(now=DUE + timedelta(days=1))
    assert told() == [("urgent", "escalation", "HIGH")]


def test_goes_on_until_somebody_owns_it(alice: User) -> None:
    """Once nothing more urgent is left, each repeat waits twice as long as the one before, up to an hour."""
    a_channel()
    alert = firing(priority="CRITICAL", escalate_at=NOW + 5 * MINUTE)
    at, waits = NOW + 5 * MINUTE, []
    for _ in range(6):
        assert escalate_due(now=at) == 1
        alert.refresh_from_db()
        assert alert.escalate_at is not None
        waits.append((alert.escalate_at - at) / MINUTE)
        at = alert.escalate_at
    assert waits == [10, 20, 40, 60, 60, 60]
    assert alert.escalation == 6
    owning.acknowledge(actor=acting(alice), alert_id=alert.pk, note="", now=at)
    assert escalate_due(now=at + timedelta(days=1)) == 0


def test_each_priority_waits_as_its_row_says(db: None) -> None:
    ResponseTime.objects.filter(priority="HIGH").update(escalate_every_minutes=7)
    alert = firing(priority="MEDIUM")
    escalate_due(now=DUE)
    alert.refresh_from_db()
    assert (alert.priority, alert.escalate_at) == ("HIGH", DUE + 7 * MINUTE)


def test_more_than_a_batch(db: None) -> None:
    a_channel()
    for _ in range(26):
        firing()
    assert escalate_due(now=DUE) == 26
    assert Delivery.objects.count() == 26


@pytest.mark.django_db(transaction=True)
def test_several_beats_escalate_once() -> None:
    a_channel()
    alerts = [firing() for _ in range(20)]
    done: list[int] = []

    def beat(now: datetime) -> None:
        try:
            done.append(escalate_due(now=now))
        finally:
            connections.close_all()

    threads = [Thread(target=beat, args=(DUE,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 20
    assert Delivery.objects.count() == 20
    assert set(Alert.objects.values_list("escalation", flat=True)) == {1}
    assert len(alerts) == len(events())


def test_the_task_does_it(db: None) -> None:
    alert = firing(escalate_at=timezone.now())
    tasks.escalate()
    alert.refresh_from_db()
    assert alert.escalation == 1


def test_the_same_raised_again_neither_lowers_it_nor_tells_twice(db: None) -> None:
    """The source goes on at its own priority; the escalation stands until somebody owns it."""
    a_channel()
    raised = RaisedAlert(category="RISK_WARNING", priority="HIGH", title="Volatility", source="api")
    (first,) = raise_alerts(actor=ROOT, alerts=[raised], now=NOW)
    assert escalate_due(now=DUE) == 1
    AlertRule.objects.update(dedupe_window_minutes=60)
    (again,) = raise_alerts(actor=ROOT, alerts=[raised], now=DUE + MINUTE / 2)
    alert = Alert.objects.get()
    assert (first.alert_id, again.alert_id, again.decision) == (alert.pk, alert.pk, "DEDUPED")
    assert (alert.priority, alert.escalation, alert.escalate_at) == ("CRITICAL", 1, DUE + 5 * MINUTE)
