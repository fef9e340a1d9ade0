"""When breakers were open: for any process, so that two that are open at the same time count once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from monitoring.breakers.choices import State
from monitoring.breakers.presence import LATELY
from monitoring.day import Span

# Nobody misses a process that went longer ago.
MISSED = timedelta(days=1)

# Times that are over, from the transitions that ended them; and those of processes that are open, until now or until they were last heard of.
SPANS = """
SELECT t.breaker_id, tstzrange(t.at - t.in_previous_s * interval '1 second', t.at) AS span
FROM monitoring_breakertransition t
WHERE (%(ids)s::bigint[] IS NULL OR t.breaker_id = ANY(%(ids)s)) AND t.from_state = %(state)s AND t.at > %(start)s
UNION ALL
SELECT s.breaker_id, tstzrange(s.since, GREATEST(s.since, CASE
    WHEN c.hub <> '' OR (p.reported_at > %(lately)s AND c.left_at IS NULL) THEN %(now)s ELSE p.reported_at END))
FROM monitoring_breakerstate s JOIN monitoring_breakerprocess p ON p.id = s.process_id
LEFT JOIN killswitch_tradingclient c ON c.id = p.stream_id
WHERE (%(ids)s::bigint[] IS NULL OR s.breaker_id = ANY(%(ids)s)) AND s.state = %(state)s AND p.reported_at > %(start)s
"""
WHOLE = f"""
WITH spans AS ({SPANS}), whole AS (SELECT breaker_id, range_agg(span) AS spans FROM spans GROUP BY breaker_id)
"""  # noqa: S608  no input in it
SECONDS = f"""{WHOLE}
SELECT whole.breaker_id, wanted.number, (
    SELECT coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0)::float8
    FROM unnest(whole.spans * tstzmultirange(tstzrange(wanted.starts, wanted.ends))) r)
FROM whole, unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY AS wanted (starts, ends, number)
"""  # noqa: S608  likewise
STRETCHES = f"""{WHOLE}
SELECT b.name, lower(r), upper(r) FROM whole JOIN monitoring_circuitbreaker b ON b.id = whole.breaker_id, unnest(whole.spans) r
WHERE r && tstzrange(%(start)s, %(end)s) ORDER BY lower(r) DESC LIMIT %(limit)s
"""  # noqa: S608  likewise
# From a process's first report of anything until it was last heard of.
KNOWN = """
WITH whole AS (
    SELECT range_agg(tstzrange(p.first_seen, GREATEST(p.first_seen, CASE
        WHEN c.hub <> '' OR (p.reported_at > %(lately)s AND c.left_at IS NULL) THEN %(now)s ELSE p.reported_at END))) AS spans
    FROM monitoring_breakerstate s JOIN monitoring_breakerprocess p ON p.id = s.process_id
    LEFT JOIN killswitch_tradingclient c ON c.id = p.stream_id
    WHERE s.breaker_id = ANY(%(ids)s)
)
SELECT b.name, lower(r), upper(r) FROM whole, unnest(whole.spans) r, monitoring_circuitbreaker b
WHERE b.id = ANY(%(ids)s) AND r && tstzrange(%(start)s, %(end)s) ORDER BY lower(r)
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One breaker was open (or in another state that was asked for). `end` None: it still is."""

    name: str
    start: datetime
    end: datetime | None


def seconds(ids: Sequence[int], spans: Sequence[Span], *, now: datetime) -> dict[int, list[float]]:
    """For each of these breakers, the seconds in OPEN within each of the spans, as far as they have gone by."""
    found = {pk: [0.0] * len(spans) for pk in ids}
    if not ids:
        return found
    parameters = _parameters(ids, min(span.start for span in spans), now) | {
        "starts": [span.start for span in spans],
        "ends": [max(span.start, min(span.end, now)) for span in spans],
    }
    with connection.cursor() as cursor:
        cursor.execute(SECONDS, parameters)
        for pk, number, length in cursor.fetchall():
            found[pk][number - 1] = length
    return found


def stretches(
    ids: Sequence[int] | None, span: Span, *, now: datetime, limit: int, state: State = State.OPEN
) -> list[Stretch]:
    """The newest times in OPEN (or another state) of these breakers (None: all) that touch the span, in order."""
    parameters = _parameters(ids, span.start, now, state) | {"end": span.end, "limit": limit}
    return _read(STRETCHES, parameters, now)[::-1]


def known(breaker_id: int, span: Span, *, now: datetime) -> list[Stretch]:
    """The times within the span at which a process that has this breaker was heard of, in order."""
    return _read(KNOWN, _parameters([breaker_id], span.start, now) | {"end": span.end}, now)


def _read(sql: str, parameters: dict[str, Any], now: datetime) -> list[Stretch]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    return [Stretch(name, start, None if end >= now else end) for name, start, end in rows]


def _parameters(
    ids: Sequence[int] | None, start: datetime, now: datetime, state: State = State.OPEN
) -> dict[str, Any]:
    given = None if ids is None else list(ids)
    return {"ids": given, "start": start, "now": now, "lately": now - LATELY, "state": str(state)}
