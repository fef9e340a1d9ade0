"""What was written stays, whoever asks."""

import pytest
from django.db import InternalError, ProgrammingError, connection, transaction

from opsconsole.audit.actor import Actor
from opsconsole.audit.models import AuditEvent
from opsconsole.audit.services import record

pytestmark = pytest.mark.django_db
REFUSED = (InternalError, ProgrammingError)


@pytest.fixture
def event() -> AuditEvent:
    return record(actor=Actor.system("tests"), action="tests.done", reason="as it was")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET reason = 'rewritten'",
        "DELETE FROM audit_auditevent",
        "TRUNCATE audit_auditevent",
        "INSERT INTO audit_auditevent SELECT * FROM audit_auditevent ON CONFLICT (id) DO UPDATE SET reason = 'rewritten'",
    ],
)
@pytest.mark.parametrize("setting", ["", "SET LOCAL session_replication_role = replica"])
def test_refuses_every_change(event: AuditEvent, statement: str, setting: str) -> None:
    if setting:
        _set_if_allowed(setting)
    with pytest.raises(REFUSED, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    event.refresh_from_db()
    assert event.reason == "as it was"


def test_refuses_the_orm_too(event: AuditEvent) -> None:
    with pytest.raises(REFUSED, match="append-only"), transaction.atomic():
        event.save()
    with pytest.raises(REFUSED, match="append-only"), transaction.atomic():
        event.delete()
    assert AuditEvent.objects.count() == 1


def _set_if_allowed(setting: str) -> None:
    """Only a superuser may; for anybody else the setting itself is refused, which is as good."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(setting)
    except ProgrammingError:
        pass
