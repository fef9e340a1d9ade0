"""What was there before the trail was sealed waits to be."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from opsconsole.audit.models import AuditPending
from tests.audit.sealing import seal_now, write

pytestmark = pytest.mark.django_db
BEFORE, AFTER = ("audit", "0002_triggers"), ("audit", "0003_sealing")


def migrate(target: tuple[str, str]) -> None:
    MigrationExecutor(connection).migrate([target])


def test_events_of_before_are_queued_in_their_order() -> None:
    migrate(BEFORE)
    old = write(3)
    assert "audit_auditpending" not in connection.introspection.table_names()
    migrate(AFTER)
    new = write()
    waiting = AuditPending.objects.order_by("written_at", "event_id").values_list("event_id", flat=True)
    assert list(waiting) == [*old, *new]
    sealed = seal_now()
    assert sealed is not None
    assert sealed.count == 4
