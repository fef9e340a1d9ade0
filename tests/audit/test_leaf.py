"""The leaf is the database's work, covers every field, and shows what was edited."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from opsconsole.audit.actor import Actor
from opsconsole.audit.choices import ActorKind
from opsconsole.audit.models import AuditEvent
from opsconsole.audit.selectors import events_whose_leaf_is_wrong
from opsconsole.audit.services import record

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 10, 30, 0, 120, tzinfo=UTC)


def make() -> AuditEvent:
    return record(
        actor=Actor(kind=ActorKind.USER, name="dana", user_id=7, ip="192.0.2.1", request_id="r-1"), action="tests.done", object_type="t",
        object_id="1", object_label="one", reason="why", before={"b": 1}, after={"a": [1, None]}, metadata={"m": "ü"}, now=NOW,
    )  # fmt: skip


def test_is_the_hash_that_anybody_can_compute() -> None:
    event = make()
    fields = [
        event.pk, "2026-11-22T10:30:00.000120Z", "user", "dana", 7, "tests.done", "t", "1", "one", "why",
        {"b": 1}, {"a": [1, None]}, {"m": "ü"}, "192.0.2.1", "r-1",
    ]  # fmt: skip
    text = json.dumps(fields, ensure_ascii=False)
    assert bytes(event.leaf) == hashlib.sha256(text.encode()).digest()


def test_overwrites_one_that_the_caller_supplies() -> None:
    event = AuditEvent.objects.create(
        at=NOW, actor_kind=ActorKind.USER, actor_name="x", action="tests.done", leaf=b"forged"
    )
    event.refresh_from_db()
    assert len(event.leaf) == 32
    assert events_whose_leaf_is_wrong() == []


@pytest.mark.parametrize(
    "setting",
    ["TimeZone = 'Asia/Tokyo'", "DateStyle = 'German'", "extra_float_digits = -10", "lc_time = 'C'"],
)
def test_does_not_depend_on_the_session(setting: str) -> None:
    make()
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL {setting}")
    make()
    assert events_whose_leaf_is_wrong() == []


FIELDS = [field.column for field in AuditEvent._meta.concrete_fields if field.name != "leaf"]


@pytest.mark.parametrize("column", FIELDS)
def test_shows_an_edit_of_any_field(column: str) -> None:
    """As the table's owner can do it: with the triggers switched off."""
    event = make()
    changed = {"id": "id + 1000", "at": "at + interval '1 microsecond'", "actor_id": "8", "ip": "'192.0.2.2'"}
    new = changed.get(column, "'{\"x\": 0}'" if column in ("before", "after", "metadata") else "'other'")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_event_no_change")
        cursor.execute(f"UPDATE audit_auditevent SET {column} = {new}")
        cursor.execute("ALTER TABLE audit_auditevent ENABLE ALWAYS TRIGGER audit_event_no_change")
    assert events_whose_leaf_is_wrong() == [event.pk + 1000 if column == "id" else event.pk]
