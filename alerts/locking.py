"""The lock under which alerts are decided, one transaction after the other over all processes.

So the counts of duplicates and of the hour are exact, whoever writes. Order of locks: this one first, before any row of an alert, a rule or a
silence. Whoever changes rows of alerts for another reason (acknowledges, resolves, escalates) takes it too.
"""

from django.db import connection

# Any number that nothing else uses.
LOCK = 7_301_846_552
# The server ends a session that holds the lock and says nothing for so long (its process is suspended, or its network gone) …
IDLE_MS = 10_000
# … and others wait a little longer than that for it.
WAIT_MS = 15_000

TAKE = """
SELECT set_config('idle_in_transaction_session_timeout', %s, true), set_config('lock_timeout', %s, true), pg_advisory_xact_lock(%s)
"""
BUMP = "UPDATE alerts_policy SET version = version + 1 WHERE id = 1 RETURNING version"


def lock_decisions() -> None:
    """Wait for the lock, and hold it until the transaction ends. RuntimeError outside of one."""
    if not connection.in_atomic_block:
        raise RuntimeError("lock_decisions() belongs in the transaction that decides")
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [str(IDLE_MS), str(WAIT_MS), LOCK])


def bump_policy() -> int:
    """Say that what decides has changed, so that no decision of before counts as standing. The new version. RuntimeError outside of a transaction.

    Under the lock: otherwise an alert might be decided by the old rules and carry the new version.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("bump_policy() belongs in the transaction of the change")
    with connection.cursor() as cursor:
        cursor.execute(BUMP)
        row = cursor.fetchone()
        if row is None:
            cursor.execute("INSERT INTO alerts_policy (id, version) VALUES (1, 2) RETURNING version")
            row = cursor.fetchone()
    assert row is not None  # noqa: S101  an insert that returns yields one row
    version: int = row[0]
    return version
