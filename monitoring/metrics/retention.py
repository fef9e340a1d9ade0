"""Drops partitions that are older than they are kept, and forgets batches that are too old to be taken again. Never makes an ingest wait."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import OperationalError, ProgrammingError, connection, transaction
from psycopg.errors import LockNotAvailable, ObjectNotInPrerequisiteState, UndefinedTable

from monitoring.metrics.models import RollUp
from monitoring.metrics.partitions import FIVES, HOURS, MINUTES, Partitioned, forget

log = logging.getLogger(__name__)

# How old a batch may be when it comes: whether an older one was counted before is not known any more, so it is not taken.
OLDEST_BATCH = timedelta(days=7)
# Longer than that, for a client's clock may be ahead.
BATCHES_KEPT = OLDEST_BATCH + timedelta(hours=1)
# Batches deleted in one transaction, and transactions in one call.
PIECE, PIECES = 5000, 200
DAYS_A_MONTH = 31
# Who waits for a lock makes those wait that come after it.
LOCK_TIMEOUT = "200ms"

# Also those that are detached already: whoever was at it was ended before it dropped them.
PARTITIONS = """
SELECT c.relname, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false)
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = to_regclass(%(table)s)
WHERE c.relkind = 'r' AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass(%(table)s))
    AND c.relname ~ ('^' || %(table)s || '_[0-9]+$')
ORDER BY c.relname
"""
FORGET_BATCHES = """
DELETE FROM monitoring_batch WHERE id IN (SELECT id FROM monitoring_batch WHERE received_at < %s ORDER BY received_at LIMIT %s)
"""


def minutes_kept() -> timedelta:
    return timedelta(days=settings.METRICS_MINUTES_DAYS)


def oldest_taken() -> timedelta:
    """How old a batch may be."""
    return min(minutes_kept(), OLDEST_BATCH)


def hours_kept() -> timedelta:
    return timedelta(days=DAYS_A_MONTH * settings.METRICS_HOURS_MONTHS)


def drop_old(*, now: datetime) -> list[str]:
    """Drop the partitions in which everything is too old; of minutes, only what is summed up. Returns their names.

    What is in use at the moment stays until the next call. RuntimeError in a transaction, where PostgreSQL detaches nothing without a long lock.
    """
    if connection.in_atomic_block:
        raise RuntimeError("drop_old() makes its own transactions")
    dropped = [
        *_drop(MINUTES, before=now - minutes_kept()),
        *_drop(FIVES, before=now - minutes_kept()),
        *_drop(HOURS, before=now - hours_kept()),
    ]
    if dropped:
        forget()
    RollUp.objects.filter(hour__lt=now - minutes_kept() - timedelta(days=2)).exclude(rolled_at=None).delete()
    return dropped


def forget_batches(*, now: datetime) -> int:
    """Delete those that would be refused by now, in pieces. Returns how many."""
    deleted = 0
    for _ in range(PIECES):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(FORGET_BATCHES, [now - BATCHES_KEPT, PIECE])
            deleted += cursor.rowcount
            if cursor.rowcount < PIECE:
                break
    return deleted


def _drop(of: Partitioned, *, before: datetime) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(PARTITIONS, {"table": of.table})
        found = cursor.fetchall()
    dropped = []
    for name, attached, pending in found:
        start = of.start_from(name)
        end = of.end_of(start)
        if end > before or (of is MINUTES and _awaited(start, end)):
            continue
        try:
            with _short_waits():
                _drop_one(of.table, name, attached=attached, pending=pending)
        except (OperationalError, ProgrammingError) as error:
            if not isinstance(
                error.__cause__, LockNotAvailable | ObjectNotInPrerequisiteState | UndefinedTable
            ):
                raise
            log.info("The partition %s is in use; it is dropped later", name)
        else:
            dropped.append(name)
    return dropped


def _drop_one(table: str, name: str, *, attached: bool, pending: bool) -> None:
    with connection.cursor() as cursor:
        if attached:
            how = "FINALIZE" if pending else "CONCURRENTLY"
            cursor.execute(f"ALTER TABLE {table} DETACH PARTITION {name} {how}")
        cursor.execute(f"DROP TABLE IF EXISTS {name}")


def _awaited(start: datetime, end: datetime) -> bool:
    return RollUp.objects.filter(hour__gte=start, hour__lt=end, rolled_at=None).exists()


@contextmanager
def _short_waits() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        try:
            yield
        finally:
            cursor.execute("RESET lock_timeout")
