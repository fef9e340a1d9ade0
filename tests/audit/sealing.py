"""Events, seals, and a superuser who changes them past the triggers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from opsconsole.audit.actor import Actor
from opsconsole.audit.sealing.services import Sealed, seal
from opsconsole.audit.services import record

NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
TABLES = ("audit_auditevent", "audit_sealedleaf", "audit_auditseal", "audit_auditpending")


def write(count: int = 1, *, reason: str = "why it was") -> list[int]:
    """The ids of so many events, each of a transaction of its own."""
    return [_write(reason) for _ in range(count)]


def sealed(count: int = 1) -> list[int]:
    """So many events, sealed together."""
    ids = write(count)
    assert seal_now() is not None
    return ids


def seal_now() -> Sealed | None:
    return seal(now=NOW)


def _write(reason: str) -> int:
    with transaction.atomic():
        return record(actor=Actor.system("tests"), action="tests.done", reason=reason, now=NOW).pk


@contextmanager
def past_triggers() -> Iterator[None]:
    """As the tables' owner can."""
    _each("DISABLE TRIGGER USER")
    yield
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = ANY(%s::regclass[])",
            [list(TABLES)],
        )
        for table, name in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def tamper(*statements: str, values: Sequence[Any] = ()) -> None:
    """Change something past the triggers."""
    with transaction.atomic(), past_triggers(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, list(values) or None)


def _each(change: str) -> None:
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} {change}")
