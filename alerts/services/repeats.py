"""Alerts that are known to fire, raised again: counted without asking any gate, where the newest decision still stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.db import connection, transaction

from alerts.locking import SHARE, TAKING, add_what_was_counted
from alerts.models import RepeatBatch

# Each incident's own row is wide, and a storm would rewrite it at every commit. So one narrow row keeps what was counted.
# LATERAL … OFFSET 0: a look-up by number for each, whatever the planner believes of a table that a storm has just filled.
KEEP = """
WITH asked AS (SELECT * FROM unnest(%(ids)s::bigint[], %(counts)s::bigint[], %(ends)s::timestamptz[]) AS t (id, count, ends_at)),
standing AS (
    SELECT asked.*, LEAST(a.settled_until, a.ends_at) AS until
    FROM asked, LATERAL (SELECT * FROM alerts_alert WHERE id = asked.id OFFSET 0) a
    WHERE a.state = 'FIRING' AND a.settled_until > %(at)s AND (a.ends_at IS NULL OR a.ends_at > %(at)s)
        AND a.policy = (SELECT version FROM alerts_policy WHERE id = 1)
        AND NOT EXISTS (SELECT FROM alerts_postedalerts WHERE ends AND NOT failed)
), kept AS (
    INSERT INTO alerts_repeatbatch (at, ids, counts, ends)
    SELECT %(at)s, array_agg(id), array_agg(count), array_agg(ends_at) FROM standing HAVING count(*) >= %(least)s
)
SELECT id, until, (SELECT turn FROM alerts_policy WHERE id = 1) FROM standing
"""
# The same for incidents of which all is known, since nobody has decided anything after they were looked at.
KEEP_KNOWN = """
INSERT INTO alerts_repeatbatch (at, ids, counts, ends)
SELECT %(at)s, %(ids)s::bigint[], %(counts)s::bigint[], %(ends)s::timestamptz[] FROM alerts_policy
WHERE id = 1 AND turn = %(turn)s AND NOT EXISTS (SELECT FROM alerts_postedalerts WHERE ends AND NOT failed)
"""
# Of so many incidents it is remembered when they were looked at.
MOST_REMEMBERED = 200_000


@dataclass(slots=True)
class Repeat:
    """One incident, how often it was raised again, and until when it lasts at least (None: until somebody ends it)."""

    alert_id: int
    count: int
    ends_at: datetime | None


class Standing(NamedTuple):
    """Until when an incident's newest decision stands, if nobody has decided anything after that turn (`Policy.turn`)."""

    until: datetime
    turn: int


class Standings:
    """What one process knows of incidents that were raised again. One thread at a time."""

    def __init__(self) -> None:
        self._known: dict[int, Standing] = {}

    def turn(self, repeats: Sequence[Repeat], *, at: datetime) -> int | None:
        """The turn after which all of these were looked at, and stand; None if that is not known of each."""
        found = [self._known.get(repeat.alert_id) for repeat in repeats]
        first = found[0]
        if first is None:
            return None
        turn = first.turn
        return turn if all(one is not None and one.turn == turn and one.until > at for one in found) else None

    def learn(self, rows: Iterable[tuple[int, datetime, int | None]]) -> None:
        if len(self._known) >= MOST_REMEMBERED:
            self._known = {}
        self._known.update((pk, Standing(until, turn)) for pk, until, turn in rows if turn is not None)


def count_repeats(*, repeats: Sequence[Repeat], at: datetime) -> set[int]:
    """Count these where the newest decision would be made again. Returns the ids of those; the others must be decided.

    None counts while an alert's end waits to be decided (`alerts.alertmanager.posted`): what comes after the end must not be counted before it.
    In a transaction that shares or holds the lock of the decisions. RuntimeError outside of one. Incidents and statistics have the counts when
    somebody next takes `lock_decisions()`: before that nothing changes what was counted here.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("count_repeats() belongs in the transaction that has the lock")
    with connection.cursor() as cursor:
        cursor.execute(KEEP, _params(repeats, at) | {"least": 1})
        return {row[0] for row in cursor.fetchall()}


def count_all_repeats(*, repeats: Sequence[Repeat], at: datetime, standings: Standings | None = None) -> bool:
    """Count these if each of them may be counted, in a transaction of its own; else do nothing. Returns whether they were. RuntimeError inside one.

    One round trip: several statements that are sent together are one transaction. `standings` saves the look at each incident.
    """
    if connection.in_atomic_block:
        raise RuntimeError("count_all_repeats() is a transaction of its own")
    standings = standings or Standings()
    params, turn = TAKING | _params(repeats, at), standings.turn(repeats, at=at)
    with connection.cursor() as cursor:
        if turn is not None:
            cursor.execute(f"{SHARE};{KEEP_KNOWN}", params | {"turn": turn})
            cursor.nextset()
            if cursor.rowcount == 1:
                return True
        cursor.execute(f"{SHARE};{KEEP}", params | {"least": len(repeats)})
        cursor.nextset()
        rows = cursor.fetchall()
    standings.learn(rows)
    return len(rows) == len(repeats)


def add_repeats() -> bool:
    """Add what was counted to the incidents, if anything waits for that. Returns whether anything did."""
    if not RepeatBatch.objects.exists():
        return False
    with transaction.atomic():
        add_what_was_counted()
    return True


def _params(repeats: Sequence[Repeat], at: datetime) -> dict[str, str | int | datetime]:
    return {
        "at": at,
        "ids": _array(repeat.alert_id for repeat in repeats),
        "counts": _array(repeat.count for repeat in repeats),
        "ends": _array(_text(repeat.ends_at) for repeat in repeats),
    }


def _array(values: Iterable[object]) -> str:
    """PostgreSQL's own text of an array: psycopg would write each element by itself, which takes longer than counting it."""
    return f"{{{','.join(map(str, values))}}}"


@lru_cache(maxsize=1000)
def _text(moment: datetime | None) -> str:
    return "NULL" if moment is None else f'"{moment.isoformat()}"'
