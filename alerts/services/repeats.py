"""Alerts that are known to fire, sent again: counted in one statement, without asking any gate, where the newest decision still stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from alerts.services.counting import Tallies
from opsconsole.live.publish import publish

# GREATEST leaves out what is NULL. An assignment of the value that is there already lets PostgreSQL update the row without touching an index (HOT).
COUNT = """
UPDATE alerts_alert a
SET count = a.count + t.count, repeats = a.repeats + t.count, repeated_at = GREATEST(a.repeated_at, %(at)s),
    last_at = GREATEST(a.last_at, %(at)s), ends_at = GREATEST(a.ends_at, t.ends_at)
FROM unnest(%(ids)s::bigint[], %(counts)s::bigint[], %(ends)s::timestamptz[]) AS t (id, count, ends_at)
WHERE a.id = t.id AND a.state = 'FIRING' AND a.settled_until > %(at)s AND (a.ends_at IS NULL OR a.ends_at > %(at)s)
    AND a.policy = (SELECT version FROM alerts_policy WHERE id = 1)
RETURNING a.id, a.category, a.priority, a.title, a.decision, t.count
"""
PUBLISHED = 50


@dataclass(frozen=True, slots=True)
class Repeat:
    """One incident, how often it was sent again, and until when it lasts at least."""

    alert_id: int
    count: int
    ends_at: datetime | None


def count_repeats(*, repeats: Sequence[Repeat], at: datetime) -> set[int]:
    """Count these where the newest decision would be made again. Returns the ids of those; the others must be decided.

    In a transaction that holds `lock_decisions()`. RuntimeError outside of one.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("count_repeats() belongs in the transaction that holds the lock")
    params: dict[str, Any] = {
        "at": at,
        "ids": [repeat.alert_id for repeat in repeats],
        "counts": [repeat.count for repeat in repeats],
        "ends": [repeat.ends_at for repeat in repeats],
    }
    tallies, counted = Tallies(), []
    with connection.cursor() as cursor:
        cursor.execute(COUNT, params)
        for alert_id, category, priority, title, decision, count in cursor.fetchall():
            counted.append(alert_id)
            tallies.add(category=category, priority=priority, title=title, decision=decision, count=count)
    if counted:
        tallies.write(at=at)
        publish("alerts", ids=tuple(counted[:PUBLISHED]))
    return set(counted)
