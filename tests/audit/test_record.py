"""audit.record(): refusals first, then what is kept."""

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from opsconsole.accounts.models import User
from opsconsole.audit.actor import Actor
from opsconsole.audit.choices import ActorKind
from opsconsole.audit.models import AuditEvent
from opsconsole.audit.services import record
from opsconsole.live.publish import CHANNEL
from tests.cast import acting

SYSTEM = Actor.system("tests")


@pytest.mark.django_db(transaction=True)
def test_refuses_to_write_outside_the_transaction_of_the_change() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        record(actor=SYSTEM, action="tests.done", reason="")
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_vanishes_with_the_change_that_is_rolled_back() -> None:
    with transaction.atomic():
        record(actor=SYSTEM, action="tests.done", reason="")
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


def test_keeps_who_what_why_and_how(alice: User) -> None:
    now = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
    event = record(
        actor=acting(alice), action="tests.changed", obj=alice, reason="it was wrong", before={"a": 1}, after={"a": 2},
        metadata={"at": now}, now=now,
    )  # fmt: skip
    event.refresh_from_db()
    assert (event.actor_kind, event.actor_name, event.actor_id, event.ip) == (
        ActorKind.USER,
        "alice",
        alice.pk,
        "192.0.2.7",
    )
    assert (event.object_type, event.object_id, event.object_label) == (
        "accounts.user",
        str(alice.pk),
        "alice",
    )
    assert (event.at, event.reason, event.before, event.after) == (now, "it was wrong", {"a": 1}, {"a": 2})
    assert event.metadata == {"at": "2026-11-22T10:30:00Z"}


def test_outlives_the_account(alice: User) -> None:
    event = record(actor=acting(alice), action="tests.changed", reason="")
    alice.delete()
    event.refresh_from_db()
    assert event.actor_name == "alice"


def test_never_fails_over_what_was_sent(db: None) -> None:
    event = record(
        actor=Actor.system("x" * 500), action="tests.changed", reason="nul \x00 and \ud800",
        metadata={"nan": float("nan"), "big": 10**400, "deep": [[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]},
    )  # fmt: skip
    event.refresh_from_db()
    assert event.reason == "nul � and �"
    assert event.metadata["nan"] == "nan"
    assert len(event.actor_name) == 150


@pytest.mark.django_db(transaction=True)
def test_tells_the_live_bus_on_commit() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
    with transaction.atomic():
        event = record(actor=SYSTEM, action="tests.done", reason="")
    assert connection.connection is not None
    told = [note.payload for note in connection.connection.notifies(timeout=5, stop_after=1)]
    assert told == [f'{{"topic":"audit","ids":[{event.pk}]}}']
