"""Saying whose an alert is; it stays due until somebody acknowledges it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from alerts.models import Alert
from alerts.response import overdue
from alerts.services import owning
from alerts.services.escalating import escalate_due
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.rows import NOW, firing
from tests.cast import acting, caller


def assign(user: User, alert: Alert, to: User | None) -> owning.Owned:
    user_id = None if to is None else to.pk
    return owning.assign(actor=acting(user), alert_id=alert.pk, user_id=user_id, note="yours", now=NOW)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "must be a username"),
        ({"user": "nobody"}, "may acknowledge alerts"),
        ({"user": "bob"}, "may acknowledge alerts"),
        ({"user": "trader"}, "may acknowledge alerts"),
        ({"user": 7}, "must be a text"),
    ],
)
def test_to_nobody_who_could_own_it(
    alice: User, bob: User, trader: User, body: dict[str, object], why: str
) -> None:
    alert = firing()
    answer = caller(alice).post(f"/monitoring/alerts/{alert.pk}/assign", body)
    assert answer.status_code == 400
    assert why in answer.json()["error"]["details"]["user"]
    alert.refresh_from_db()
    assert alert.assignee is None


def test_not_to_an_account_that_is_switched_off(alice: User, sam: User) -> None:
    User.objects.filter(pk=sam.pk).update(is_active=False)
    with pytest.raises(ValueError, match="user: must be an active account"):
        assign(alice, firing(), sam)


def test_a_viewer_may_not(bob: User, alice: User) -> None:
    alert = firing()
    assert caller(bob).post(f"/monitoring/alerts/{alert.pk}/assign", {"user": "alice"}).status_code == 403


def test_what_is_over(alice: User) -> None:
    alert = firing(state="RESOLVED", resolved_at=NOW)
    answer = caller(alice).post(f"/monitoring/alerts/{alert.pk}/assign", {"user": "alice"})
    assert answer.status_code == 409


def test_assigns_it(alice: User, sam: User) -> None:
    alert = firing()
    assert assign(alice, alert, sam).changed
    alert.refresh_from_db()
    assert alert.assignee == sam
    event = AuditEvent.objects.get()
    assert event.before is not None
    assert event.after is not None
    assert (event.action, event.before["assignee"], event.after["assignee"]) == (
        "alerts.assigned",
        None,
        "sam",
    )
    assert not assign(alice, alert, sam).changed


def test_to_nobody_again(alice: User, sam: User) -> None:
    alert = firing()
    assign(alice, alert, sam)
    assert caller(alice).post(f"/monitoring/alerts/{alert.pk}/assign", {"user": None}).json()["changed"]
    alert.refresh_from_db()
    assert alert.assignee is None


def test_stays_due(alice: User, sam: User) -> None:
    alert = firing()
    assign(alice, alert, sam)
    late = NOW + timedelta(minutes=15)
    assert Alert.objects.filter(overdue(late)).exists()
    assert escalate_due(now=late) == 1


@pytest.mark.parametrize("act", ["acknowledge", "unacknowledge", "assign", "resolve", "escalate"])
def test_every_change_takes_its_turn_among_the_decisions(alice: User, act: str) -> None:
    """Whoever decides reads alerts, works on them, and writes them back: what changes meanwhile would be lost."""
    alert, actor = firing(acknowledged_at=NOW if act == "unacknowledge" else None), acting(alice)
    acts: dict[str, Callable[[], object]] = {
        "acknowledge": lambda: owning.acknowledge(actor=actor, alert_id=alert.pk, note="", now=NOW),
        "unacknowledge": lambda: owning.unacknowledge(actor=actor, alert_id=alert.pk, reason="", now=NOW),
        "assign": lambda: assign(alice, alert, alice),
        "resolve": lambda: owning.resolve(actor=actor, alert_id=alert.pk, note="", now=NOW),
        "escalate": lambda: escalate_due(now=NOW + timedelta(minutes=15)),
    }
    assert not holds_the_turn()
    acts[act]()
    assert holds_the_turn()


def holds_the_turn() -> bool:
    """Whether this transaction has taken an advisory lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        return bool(cursor.fetchone()[0])
