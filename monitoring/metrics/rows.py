"""The SQL over rows of minutes, five minutes and hours: always by the primary key (series_id, at), never a scan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from monitoring.day import Span
from monitoring.metrics.catalogue import CATALOGUE, Kind
from monitoring.metrics.cells import Cell

MINUTE, FIVE, HOUR = timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sums:
    """Rows that sum up minutes (`monitoring.metrics.rollup`). `width`: of what each sums up."""

    table: str
    width: timedelta


FIVES, HOURS = Sums("monitoring_five", FIVE), Sums("monitoring_hour", HOUR)

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

# What the sums cover wholly from them, as far as they go for each series (`edge`: the end of its newest one); everything else from the minutes.
SUMMED = """
WITH wanted AS (SELECT * FROM unnest(%(ids)s::bigint[], %(groups)s::int[]) AS w(id, grp)),
edges AS (
    SELECT w.*, coalesce((
        SELECT c.at + %(width)s FROM {table} c
        WHERE c.series_id = w.id AND c.at >= %(start)s::timestamptz AND c.at < %(end)s::timestamptz
        ORDER BY c.at DESC LIMIT 1
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
        SELECT * FROM {table} c
        WHERE c.series_id = e.id AND c.at >= s.first AND c.at < s.last
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


def width_of(step: timedelta) -> timedelta:
    """Of the rows that steps of this length are made from, apart from the newest."""
    return next((sums.width for sums in (HOURS, FIVES) if step % sums.width == timedelta(0)), MINUTE)


def by_step(kind: Kind, groups: Groups, span: Span, *, step: timedelta) -> Found:
    """Cells by (group, number of the step since `span.start`); a gap has none. The span begins and ends on multiples of `step`."""
    parameters = _parameters(groups, span) | {"step": step.total_seconds()}
    width = width_of(step)
    for sums in (HOURS, FIVES):
        if sums.width == width:
            sql = SUMMED.format(table=sums.table, slot=BY_STEP)
            return _read(sql, kind, parameters | _covered([span], width))
    return _read(MINUTES, kind, parameters)


def by_span(kind: Kind, groups: Groups, spans: Sequence[Span]) -> Found:
    """Cells by (group, number of the span); a gap has none. Whole hours come from the hour rows."""
    if not spans:
        return {}
    whole = Span(min(span.start for span in spans), max(span.end for span in spans))
    sql = SUMMED.format(table=HOURS.table, slot=BY_SPAN)
    return _read(sql, kind, _parameters(groups, whole) | _covered(spans, HOURS.width))


def _parameters(groups: Groups, span: Span) -> dict[str, Any]:
    return {"ids": list(groups), "groups": list(groups.values()), "start": span.start, "end": span.end}


def _covered(spans: Sequence[Span], width: timedelta) -> dict[str, Any]:
    """What sums of this width can cover of each span, which may be nothing."""
    firsts = [min(_floor(span.start + width - timedelta(microseconds=1), width), span.end) for span in spans]
    return {
        "width": width,
        "starts": [span.start for span in spans],
        "firsts": firsts,
        "lasts": [max(_floor(span.end, width), first) for span, first in zip(spans, firsts, strict=True)],
        "ends": [span.end for span in spans],
    }


def _floor(at: datetime, width: timedelta) -> datetime:
    return EPOCH + (at - EPOCH) // width * width


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
