"""The lock under which alerts are decided, one transaction after the other over all processes.

So the counts of duplicates and of the hour are exact, whoever writes. Order of locks: this one first, before any row of an alert, a rule or a
silence. Whoever changes rows of alerts for another reason (acknowledges, resolves, escalates) takes it too. What only counts known alerts that
were raised again shares it with others of its kind.
"""

from django.db import connection

from opsconsole.live.publish import publish

# Any numbers that nothing else uses.
LOCK = 7_301_846_552
ADDING = 7_301_846_553
# The server ends a session that holds the lock and says nothing for so long (its process is suspended, or its network gone) …
IDLE_MS = 10_000
# … and others wait a little longer than that for it.
WAIT_MS = 15_000

TAKE = """
SELECT set_config('idle_in_transaction_session_timeout', %(idle)s, true), set_config('lock_timeout', %(wait)s, true),
    pg_advisory_xact_lock(%(lock)s)
"""
SHARE = TAKE.replace("pg_advisory_xact_lock", "pg_advisory_xact_lock_shared")
ALONE_AMONG_ADDERS = "SELECT pg_advisory_xact_lock(%(adding)s)"
TAKING: dict[str, str | int] = {"idle": str(IDLE_MS), "wait": str(WAIT_MS), "lock": LOCK, "adding": ADDING}
# What was counted, into the tallies of the minute and the day, and into the incidents. Rows in the order of their keys, as everywhere.
# GREATEST leaves out what is NULL. An assignment of the value that is there already lets PostgreSQL update the row without touching an index (HOT).
ADD_REPEATS = """
WITH {turn} gone AS (DELETE FROM alerts_repeatbatch RETURNING at, date_trunc('minute', at, 'UTC') AS minute, ids, counts, ends),
each AS (
    SELECT u.id, gone.minute, sum(u.count)::bigint AS count, max(gone.at) AS at, max(u.ends_at) AS ends_at
    FROM gone, unnest(gone.ids, gone.counts, gone.ends) AS u (id, count, ends_at) GROUP BY 1, 2
), named AS (
    SELECT each.minute, each.count, a.category, a.priority, a.title, a.decision FROM each JOIN alerts_alert a ON a.id = each.id
), minutes AS (
    INSERT INTO alerts_minutetally (minute, category, priority, decision, count)
    SELECT minute, category, priority, decision, sum(count) FROM named GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT ON CONSTRAINT one_tally_a_minute DO UPDATE SET count = alerts_minutetally.count + EXCLUDED.count
), kinds AS (
    INSERT INTO alerts_kindtally (day, category, title, raised, sent, acted)
    SELECT (minute AT TIME ZONE 'UTC')::date, category, title, sum(count), 0, 0 FROM named GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT ON CONSTRAINT one_tally_a_kind_and_day DO UPDATE SET raised = alerts_kindtally.raised + EXCLUDED.raised
), total AS (
    SELECT id, sum(count)::bigint AS count, max(at) AS at, max(ends_at) AS ends_at FROM each GROUP BY id
)
UPDATE alerts_alert a
SET count = a.count + t.count, repeats = a.repeats + t.count, repeated_at = GREATEST(a.repeated_at, t.at),
    last_at = GREATEST(a.last_at, t.at), ends_at = GREATEST(a.ends_at, t.ends_at)
FROM total t WHERE a.id = t.id RETURNING a.id
"""
TURN = "turn AS (UPDATE alerts_policy SET turn = turn + 1 WHERE id = 1),"
BUMP = "UPDATE alerts_policy SET version = version + 1 WHERE id = 1 RETURNING version"


def lock_decisions() -> None:
    """Wait for the lock alone, and hold it until the transaction ends. RuntimeError outside of one.

    Then every repeat that was counted before is in its incident: who decides sees all of them.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("lock_decisions() belongs in the transaction that decides")
    with connection.cursor() as cursor:
        cursor.execute(TAKE, TAKING)
    add_counted(turn=True)


def add_counted(*, turn: bool = False) -> None:
    """Add to the incidents what `alerts.services.repeats` has counted. By whom nobody else can be adding beside. `turn`: decisions may follow."""
    with connection.cursor() as cursor:
        cursor.execute(ADD_REPEATS.format(turn=TURN if turn else ""))
        added = cursor.fetchall()
    if added:
        publish("alerts", ids=tuple(pk for (pk,) in added))


def add_what_was_counted() -> None:
    """The same by itself, in a transaction that decides nothing: more may be counted meanwhile. RuntimeError outside of one."""
    if not connection.in_atomic_block:
        raise RuntimeError("add_what_was_counted() belongs in a transaction")
    with connection.cursor() as cursor:
        cursor.execute(f"{SHARE};{ALONE_AMONG_ADDERS}", TAKING)
    add_counted()


def share_decisions() -> None:
    """Wait until nobody decides, and let nobody decide until the transaction ends. RuntimeError outside of one."""
    if not connection.in_atomic_block:
        raise RuntimeError("share_decisions() belongs in the transaction that counts")
    with connection.cursor() as cursor:
        cursor.execute(SHARE, TAKING)


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
            cursor.execute("INSERT INTO alerts_policy (id, version, turn) VALUES (1, 2, 1) RETURNING version")
            row = cursor.fetchone()
    assert row is not None  # noqa: S101  an insert that returns yields one row
    version: int = row[0]
    return version
