"""The SQL over minute and hour rows: always by the primary key (series_id, at), never a scan."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from monitoring.day import Span
from monitoring.metrics.catalogue import CATALOGUE, Kind
from monitoring.metrics.cells import Cell

HOUR = timedelta(hours=1)

# The ids are there twice: by the join alone the planner takes too many rows for likely, and reads whole partitions.
MINUTES = """
WITH wanted AS (SELECT * FROM unnest(%(ids)s::bigint[], %(groups)s::int[]) AS w(id, grp)),
found AS (
    SELECT w.grp, floor(extract(epoch FROM m.at - %(start)s::timestamptz) / %(step)s)::int AS slot, m.*
    FROM wanted w
    JOIN monitoring_minute m ON m.series_id = w.id
    WHERE m.series_id = ANY(%(ids)s::bigint[]) AND m.at >= %(start)s::timestamptz AND m.at < %(end)s::timestamptz
)
"""

# Whole hours from the hour rows as far as they go for each series (`edge`: the end of its newest one), everything else from the minute rows.
HOURS = """
WITH wanted AS (SELECT * FROM unnest(%(ids)s::bigint[], %(groups)s::int[]) AS w(id, grp)),
edges AS (
    SELECT w.*, coalesce((
        SELECT h.at + interval '1 hour' FROM monitoring_hour h
        WHERE h.series_id = w.id AND h.at >= %(start)s::timestamptz AND h.at < %(end)s::timestamptz
        ORDER BY h.at DESC LIMIT 1
    ), '-infinity'::timestamptz) AS edge
    FROM wanted w
),
spans AS (
    SELECT * FROM unnest(
        %(starts)s::timestamptz[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[], %(ends)s::timestamptz[]
    ) WITH ORDINALITY AS s(start, first, last, "end", number)
),
found AS (
    SELECT e.grp, {slot} AS slot, r.*
    FROM edges e CROSS JOIN spans s CROSS JOIN LATERAL (
        SELECT * FROM monitoring_minute m WHERE m.series_id = e.id AND m.at >= s.start AND m.at < s.first
        UNION ALL
        SELECT * FROM monitoring_hour h
        WHERE h.series_id = e.id AND h.at >= s.first AND h.at < s.last
        UNION ALL
        SELECT * FROM monitoring_minute m
        WHERE m.series_id = e.id AND m.at >= greatest(s.first, least(s.last, e.edge)) AND m.at < s."end"
    ) r
)
"""
BY_STEP = "floor(extract(epoch FROM r.at - s.start) / %(step)s)::int"
BY_SPAN = "(s.number - 1)::int"

# Adding up place by place is several times as fast as unnesting; beyond a series' own places there is NULL.
HISTOGRAM = """
SELECT grp, slot, sum(total), sum(count)::bigint, NULL, NULL, NULL, ARRAY[{inside}] FROM found GROUP BY grp, slot
"""
PLACES = max(len(metric.buckets) for metric in CATALOGUE.values()) + 1
_INSIDE = ", ".join(f"sum(buckets[{place}])::bigint" for place in range(1, PLACES + 1))

# The newest value of a gauge is that of the newest row; of several series in one group, of the one that spoke last.
AGGREGATES = {
    Kind.COUNTER: "SELECT grp, slot, sum(total), sum(count)::bigint, NULL, NULL, NULL, NULL FROM found GROUP BY grp, slot",
    Kind.GAUGE: (
        "SELECT grp, slot, sum(total), sum(count)::bigint, min(low), max(high), (array_agg(last ORDER BY at DESC))[1], NULL"
        " FROM found GROUP BY grp, slot"
    ),
    Kind.HISTOGRAM: HISTOGRAM.format(inside=_INSIDE),
}
# Which series count towards which group.
Groups = Mapping[int, int]
Found = dict[tuple[int, int], Cell]


def by_step(kind: Kind, groups: Groups, span: Span, *, step: timedelta, coarse: bool) -> Found:
    """Cells by (group, number of the step since `span.start`); a gap has none. `coarse`: take hour rows where they are."""
    parameters = _parameters(groups, span) | {"step": step.total_seconds()}
    if coarse:
        parameters |= _hours([span])
    return _read(HOURS.format(slot=BY_STEP) if coarse else MINUTES, kind, parameters)


def by_span(kind: Kind, groups: Groups, spans: Sequence[Span]) -> Found:
    """Cells by (group, number of the span); a gap has none. Whole hours come from the hour rows."""
    if not spans:
        return {}
    whole = Span(min(span.start for span in spans), max(span.end for span in spans))
    return _read(HOURS.format(slot=BY_SPAN), kind, _parameters(groups, whole) | _hours(spans))


def _parameters(groups: Groups, span: Span) -> dict[str, Any]:
    return {"ids": list(groups), "groups": list(groups.values()), "start": span.start, "end": span.end}


def _hours(spans: Sequence[Span]) -> dict[str, Any]:
    """The whole hours within each span, which may be none."""
    firsts = [min(_hour(span.start + HOUR - timedelta(microseconds=1)), span.end) for span in spans]
    return {
        "starts": [span.start for span in spans],
        "firsts": firsts,
        "lasts": [max(_hour(span.end), first) for span, first in zip(spans, firsts, strict=True)],
        "ends": [span.end for span in spans],
    }


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _read(rows: str, kind: Kind, parameters: dict[str, Any]) -> Found:
    if not parameters["ids"]:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(rows + AGGREGATES[kind], parameters)
        return {
            (group, slot): Cell(
                total, count, low, high, last, tuple(inside for inside in buckets or () if inside is not None)
            )
            for group, slot, total, count, low, high, last, buckets in cursor.fetchall()
        }
