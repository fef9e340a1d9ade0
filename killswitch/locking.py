"""Transactions of the kill switch: nobody may hold its rows for long, so that a suspended process cannot block a stop from elsewhere.

Order of locks: the epoch's row, then switches, then activations, then acknowledgements and processes. All with NO KEY UPDATE, which the foreign
keys of new acknowledgements do not wait for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable

P = ParamSpec("P")
R = TypeVar("R")

# The server ends a session that holds locks and says nothing for so long (its process is suspended, or its network gone) …
IDLE_MS = 1000
# … and others wait a little longer than that for the lock.
LOCK_MS = 1500
TRIES = 3
LIMITS = (
    "SELECT set_config('idle_in_transaction_session_timeout', %s, true), set_config('lock_timeout', %s, true)"
)


def bounded(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in a transaction that waits for locks a bounded time, and is tried again when it did not get one.

    Inside a transaction of the caller's, its limits are the caller's business.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        for left in reversed(range(TRIES)):
            try:
                with transaction.atomic():
                    limit_waits()
                    return function(*args, **kwargs)
            except OperationalError as error:
                if not left or not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                    raise
        raise AssertionError("not reached: the last try returns or raises")

    return run


def lock_epoch() -> tuple[int, datetime]:
    """Take the lock that every change of state holds until its commit. Returns the present epoch and the database's time."""
    with connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute(
                "SELECT value, clock_timestamp() FROM killswitch_epoch WHERE id = 1 FOR NO KEY UPDATE"
            )
            row = cursor.fetchone()
            if row is not None:
                return row[0], row[1]
            cursor.execute(
                "INSERT INTO killswitch_epoch (id, value) VALUES (1, 0) ON CONFLICT (id) DO NOTHING"
            )
    raise AssertionError("not reached: the row is there after the insert")


def set_epoch(value: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE killswitch_epoch SET value = %s WHERE id = 1", [value])


def database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    assert row is not None  # noqa: S101  SELECT of a function yields one row
    moment: datetime = row[0]
    return moment


@contextmanager
def kept_waits() -> Iterator[None]:
    """Whatever limits the block sets for this transaction, afterwards they are as they were before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('idle_in_transaction_session_timeout'), current_setting('lock_timeout')"
        )
        before = cursor.fetchone()
        yield
        cursor.execute(LIMITS, before)


def limit_waits() -> None:
    """Of this transaction, from here on."""
    with connection.cursor() as cursor:
        cursor.execute(LIMITS, [str(IDLE_MS), str(LOCK_MS)])
