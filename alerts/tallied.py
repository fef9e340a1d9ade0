"""Times raised since some moments, read from tallies: whole days and hours where they are summed up, minutes before and after them."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection

# By category, priority and decision.
Counts = Counter[tuple[str, str, str]]

# Up to where hours and days are summed up.
SUMMED = """
SELECT (SELECT max(hour) + interval '1 hour' FROM alerts_hourtally WHERE hours = 1),
       (SELECT max(hour) + interval '1 day' FROM alerts_hourtally WHERE hours = 24)
"""
# LATERAL … OFFSET 0: each stretch by the index. All at once would tempt the planner to start workers, which takes longer than all of this.
READ = """
WITH wanted AS (SELECT * FROM unnest(%s::int[], %s::int[], %s::timestamptz[], %s::timestamptz[]) AS w (number, hours, start, until))
SELECT w.number, t.* FROM wanted w, LATERAL (
    SELECT category, priority, decision, sum(count)::bigint FROM alerts_minutetally
    WHERE minute >= w.start AND minute < w.until GROUP BY 1, 2, 3 OFFSET 0
) t WHERE w.hours = 0
UNION ALL
SELECT w.number, t.* FROM wanted w, LATERAL (
    SELECT category, priority, decision, sum(count)::bigint FROM alerts_hourtally
    WHERE hours = w.hours AND hour >= w.start AND hour < w.until GROUP BY 1, 2, 3 OFFSET 0
) t WHERE w.hours > 0
"""
FOR_EVER = datetime.max.replace(tzinfo=UTC)


class Stretch(NamedTuple):
    """Rows of one kind (`hours`: 24, 1, or 0 for minutes) from `start` to just before `end`."""

    hours: int
    start: datetime
    end: datetime


def tallied(starts: Sequence[datetime]) -> list[Counts]:
    """Times raised since each of these whole minutes. What several of them have in common is read once."""
    with connection.cursor() as cursor:
        cursor.execute(SUMMED)
        hours_end, days_end = cursor.fetchone()
        wanted = [_stretches(start, hours_end, days_end) for start in starts]
        read = list(dict.fromkeys(stretch for stretches in wanted for stretch in stretches))
        found: dict[Stretch, Counts] = {stretch: Counter() for stretch in read}
        cursor.execute(READ, [list(range(len(read))), *map(list, zip(*read, strict=True))])
        for number, category, priority, decision, count in cursor.fetchall():
            found[read[number]][category, priority, decision] = count
    return [sum((found[stretch] for stretch in stretches), Counts()) for stretches in wanted]


def _stretches(start: datetime, hours_end: datetime | None, days_end: datetime | None) -> list[Stretch]:
    hour, day = _next(start, 3600), _next(start, 86_400)
    hours_end, days_end = max(hour, hours_end or hour), max(day, days_end or day)
    each = (
        Stretch(0, start, hour),
        Stretch(1, hour, min(day, hours_end)),
        Stretch(24, day, days_end),
        Stretch(1, days_end, hours_end),
        Stretch(0, hours_end, FOR_EVER),
    )
    return [stretch for stretch in each if stretch.start < stretch.end]


def _next(moment: datetime, seconds: int) -> datetime:
    """The next whole hour or day (UTC), which may be `moment` itself."""
    return datetime.fromtimestamp(math.ceil(moment.timestamp() / seconds) * seconds, UTC)
