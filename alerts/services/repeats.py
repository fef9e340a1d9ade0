"""Alerts that are known to fire, raised again: counted without asking any gate, where the newest decision still stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from alerts.locking import SHARE, TAKING, lock_decisions
from alerts.models import RepeatBatch

# Each incident's own row is wide, and a storm would rewrite it at every commit. So one narrow row keeps what was counted.
# LATERAL … OFFSET 0: a look-up by number for each, whatever the planner believes of a table that a storm has just filled.
KEEP = """
WITH asked AS (SELECT * FROM unnest(%(ids)s::bigint[], %(counts)s::bigint[], %(ends)s::timestamptz[]) AS t (id, count, ends_at)),
standing AS (
    SELECT asked.* FROM asked, LATERAL (SELECT * FROM alerts_alert WHERE id = asked.id OFFSET 0) a
    WHERE a.state = 'FIRING' AND a.settled_until > %(at)s AND (a.ends_at IS NULL OR a.ends_at > %(at)s)
        AND a.policy = (SELECT version FROM alerts_policy WHERE id = 1)
        AND NOT EXISTS (SELECT FROM alerts_postedalerts WHERE ends AND NOT failed)
), kept AS (
    INSERT INTO alerts_repeatbatch (at, ids, counts, ends)
    SELECT %(at)s, array_agg(id), array_agg(count), array_agg(ends_at) FROM standing HAVING count(*) >= %(least)s
)
SELECT id FROM asked WHERE id NOT IN (SELECT id FROM standing)
"""


@dataclass(frozen=True, slots=True)
class Repeat:
    """One incident, how often it was raised again, and until when it lasts at least."""

    alert_id: int
    count: int
    ends_at: datetime | None


def count_repeats(*, repeats: Sequence[Repeat], at: datetime) -> set[int]:
    """Count these where the newest decision would be made again. Returns the ids of those; the others must be decided.

    None counts while an alert's end waits to be decided (`alerts.alertmanager.posted`): what comes after the end must not be counted before it.
    In a transaction that shares or holds the lock of the decisions. RuntimeError outside of one. Incidents and statistics have the counts when
    somebody next takes `lock_decisions()`: before that nothing changes what was counted here.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("count_repeats() belongs in the transaction that has the lock")
    with connection.cursor() as cursor:
        cursor.execute(KEEP, _params(repeats, at, least=1))
        others = {pk for (pk,) in cursor.fetchall()}
    return {repeat.alert_id for repeat in repeats if repeat.alert_id not in others}


def count_all_repeats(*, repeats: Sequence[Repeat], at: datetime) -> bool:
    """Count these if each of them may be counted, in a transaction of its own; else do nothing. Returns whether they were. RuntimeError inside one.

    One round trip: several statements that are sent together are one transaction.
    """
    if connection.in_atomic_block:
        raise RuntimeError("count_all_repeats() is a transaction of its own")
    with connection.cursor() as cursor:
        cursor.execute(f"{SHARE};{KEEP}", TAKING | _params(repeats, at, least=len(repeats)))
        cursor.nextset()
        return cursor.fetchone() is None


def add_repeats() -> bool:
    """Add what was counted to the incidents, if anything waits for that. Returns whether anything did."""
    if not RepeatBatch.objects.exists():
        return False
    with transaction.atomic():
        lock_decisions()
    return True


def _params(repeats: Sequence[Repeat], at: datetime, *, least: int) -> dict[str, str | int | datetime]:
    return {
        "at": at,
        "ids": _array(repeat.alert_id for repeat in repeats),
        "counts": _array(repeat.count for repeat in repeats),
        "ends": _array(_text(repeat.ends_at) for repeat in repeats),
        "least": least,
    }


def _array(values: Iterable[object]) -> str:
    """PostgreSQL's own text of an array: psycopg would write each element by itself, which takes longer than counting it."""
    return f"{{{','.join(map(str, values))}}}"


def _text(moment: datetime | None) -> str:
    return "NULL" if moment is None else f'"{moment.isoformat()}"'
