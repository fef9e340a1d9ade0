"""Reads of the audit trail."""

from collections.abc import Sequence

from django.db import connection

from opsconsole.audit.models import AuditEvent


def events_whose_leaf_is_wrong(*, first_id: int = 0, limit: int = 1000) -> Sequence[int]:
    """The ids, from `first_id` on, of events whose stored leaf is not the hash of their fields. Empty: nothing was edited.

    The hash is computed by the database function that the trigger uses, over the row as it stands.
    """
    table = connection.ops.quote_name(AuditEvent._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.id FROM {table} e WHERE e.id >= %s AND e.leaf IS DISTINCT FROM audit_event_leaf(e) "  # noqa: S608  the table's name is the model's own
            "ORDER BY e.id LIMIT %s",
            [first_id, limit],
        )
        return [row[0] for row in cursor.fetchall()]
