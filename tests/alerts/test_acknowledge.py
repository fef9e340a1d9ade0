"""Owning an alert, and letting go of it: by a person, and when the time is up."""

from datetime import datetime, timedelta

import pytest

from alerts.models import Alert, AlertMessage, Delivery, KindTally
from alerts.response import overdue
from alerts.services import owning
from alerts.services.escalating import escalate_due
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.rows import BOT, NOW, a_channel, firing
from tests.cast import ApiClient, acting, caller

HOUR = timedelta(hours=1)


def acknowledge(user: User, alert: Alert, **fields: object) -> owning.Owned:
    given = {"note": "looking", "now": NOW} | fields
    return owning.acknowledge(actor=acting(user), alert_id=alert.pk, **given)  # type: ignore[arg-type]


# Refusals


def test_whoever_is_not_signed_in(db: None) -> None:
    answer = ApiClient(REMOTE_ADDR="192.0.2.7").post(f"/monitoring/alerts/{firing().pk}/acknowledge")
    assert answer.status_code == 401


def test_not_by_looking(alice: User) -> None:
    assert caller(alice).get(f"/monitoring/alerts/{firing().pk}/acknowledge").status_code == 405


def test_a_viewer_may_not(bob: User) -> None:
    alert = firing()
    answer = caller(bob).post(f"/monitoring/alerts/{alert.pk}/acknowledge")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    assert "operator" in answer.json()["error"]["message"]
    alert.refresh_from_db()
    assert alert.acknowledged_at is None


def test_what_is_not_there(alice: User) -> None:
    assert caller(alice).post("/monitoring/alerts/4711/acknowledge").status_code == 404


def test_what_is_over(alice: User) -> None:
    alert = firing(state="RESOLVED", resolved_at=NOW, resolved_by="bob")
    answer = caller(alice).post(f"/monitoring/alerts/{alert.pk}/acknowledge")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "resolved")
    assert "bob" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"note": "x" * 2001}, "note"),
        ({"note": 5}, "note"),
        ({"until": "tomorrow"}, "until"),
        ({"until": "2026-11-23T15:00:00"}, "until"),
        ({"until": "2020-01-01T00:00:00Z"}, "until"),
        ({"until": "2120-01-01T00:00:00Z"}, "until"),
        ({"minutes": -1}, "minutes"),
        ({"minutes": 0}, "until"),
        ({"minutes": 43_201}, "minutes"),
        ({"minutes": 5, "until": "2026-11-23T15:00:00Z"}, "minutes"),
        ({"owner": "bob"}, "owner"),
    ],
)
def test_what_cannot_be_meant(alice: User, body: dict[str, object], field: str) -> None:
    alert = firing()
    answer = caller(alice).post(f"/monitoring/alerts/{alert.pk}/acknowledge", body)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == [field]
    alert.refresh_from_db()
    assert alert.acknowledged_at is None


# It works


def test_owns_it(alice: User) -> None:
    alert = firing()
    owned = acknowledge(alice, alert)
    alert.refresh_from_db()
    assert owned.changed
    assert (alert.acknowledged_by, alert.acknowledged_at, alert.acknowledge_note) == ("alice", NOW, "looking")
    assert alert.due_at == NOW + timedelta(minutes=15)
    assert alert.escalate_at is None
    assert not Alert.objects.filter(overdue(NOW + HOUR)).exists()
    tally = KindTally.objects.get()
    assert (tally.category, tally.title, tally.acted) == ("RISK_WARNING", "Volatility of TSLA", 1)


def test_is_in_the_trail(alice: User) -> None:
    acknowledge(alice, firing())
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name, event.reason) == ("alerts.acknowledged", "alice", "looking")
    assert event.before is not None
    assert event.after is not None
    assert (event.before["acknowledged_by"], event.after["acknowledged_by"]) == ("", "alice")


def test_the_message_in_the_channel_says_so(alice: User) -> None:
    channel = a_channel("ops", "telegram", secrets={"token": BOT}, settings={"chat_id": -100})
    told, untold = firing(), firing(sent_count=0)
    for alert in (told, untold):
        AlertMessage.objects.create(alert=alert, channel=channel, external={"message": 7}, sent_at=NOW)
        acknowledge(alice, alert)
    assert [(row.alert, row.kind, row.channel_name) for row in Delivery.objects.all()] == [
        (told, "edit", "ops")
    ]


def test_the_same_again_changes_nothing(alice: User) -> None:
    alert = firing()
    acknowledge(alice, alert)
    again = acknowledge(alice, alert, now=NOW + HOUR)
    assert not again.changed
    assert again.alert.acknowledged_at == NOW
    assert AuditEvent.objects.count() == 1


def test_somebody_else_takes_it_over(alice: User, sam: User) -> None:
    alert = firing()
    acknowledge(alice, alert)
    owned = acknowledge(sam, alert, note="mine now")
    assert owned.changed
    assert owned.alert.acknowledged_by == "sam"
    assert KindTally.objects.get().acted == 1


def test_through_the_api(alice: User) -> None:
    alert = firing()
    answer = caller(alice).post(
        f"/monitoring/alerts/{alert.pk}/acknowledge", {"note": "looking", "minutes": 60}
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["changed"] is True
    assert (body["alert"]["id"], body["alert"]["acknowledged_by"]) == (alert.pk, "alice via tests")
    alert.refresh_from_db()
    assert alert.acknowledged_until is not None
    assert alert.acknowledged_at is not None
    assert alert.acknowledged_until - alert.acknowledged_at == HOUR


# Letting go


def test_let_go_before_it_is_due(alice: User) -> None:
    alert = firing()
    acknowledge(alice, alert)
    owned = owning.unacknowledge(actor=acting(alice), alert_id=alert.pk, reason="not mine", now=NOW)
    alert.refresh_from_db()
    assert owned.changed
    assert (alert.acknowledged_at, alert.acknowledged_by, alert.acknowledge_note) == (None, "", "")
    assert alert.escalate_at == alert.due_at == NOW + timedelta(minutes=15)
    assert AuditEvent.objects.filter(action="alerts.unacknowledged", reason="not mine").count() == 1


def test_let_go_after_it_was_due(alice: User) -> None:
    alert = firing()
    acknowledge(alice, alert)
    owning.unacknowledge(actor=acting(alice), alert_id=alert.pk, reason="", now=NOW + HOUR)
    alert.refresh_from_db()
    assert alert.due_at == NOW + timedelta(minutes=15)
    assert alert.escalate_at == NOW + HOUR + timedelta(minutes=15)
    assert Alert.objects.filter(overdue(NOW + HOUR)).exists()


def test_letting_go_of_what_nobody_owns_changes_nothing(alice: User) -> None:
    alert = firing()
    assert not owning.unacknowledge(actor=acting(alice), alert_id=alert.pk, reason="", now=NOW).changed
    assert not AuditEvent.objects.exists()
    answer = caller(alice).post(f"/monitoring/alerts/{alert.pk}/unacknowledge", {"reason": "x"})
    assert answer.json()["changed"] is False


# Its time is up


def until_an_hour(user: User, **fields: object) -> Alert:
    alert = firing(**fields)
    acknowledge(user, alert, until=NOW + HOUR)
    return alert


@pytest.mark.parametrize(("later", "owner"), [(HOUR - timedelta(seconds=1), "alice"), (HOUR, "")])
def test_is_due_again_when_the_time_is_up(alice: User, later: timedelta, owner: str) -> None:
    alert = until_an_hour(alice)
    assert escalate_due(now=NOW + later) == 0
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.escalation) == (owner, 0)
    if not owner:
        assert alert.due_at == alert.escalate_at == NOW + HOUR + timedelta(minutes=15)
        assert alert.acknowledged_until is None


def test_the_trail_says_that_the_time_was_up(alice: User) -> None:
    until_an_hour(alice)
    escalate_due(now=NOW + HOUR)
    event = AuditEvent.objects.get(action="alerts.unacknowledged")
    assert (event.actor_kind, event.actor_name) == ("system", "alerts")
    assert "alice" in event.reason


def test_what_nobody_was_told_of_is_not_due_then(alice: User) -> None:
    alert = until_an_hour(alice, due_at=None, escalate_at=None, sent_count=0)
    escalate_due(now=NOW + HOUR)
    alert.refresh_from_db()
    assert (alert.acknowledged_at, alert.due_at, alert.escalate_at) == (None, None, None)


def test_only_once(alice: User) -> None:
    until_an_hour(alice)
    moment: datetime = NOW + HOUR
    escalate_due(now=moment)
    escalate_due(now=moment)
    assert AuditEvent.objects.filter(action="alerts.unacknowledged").count() == 1
