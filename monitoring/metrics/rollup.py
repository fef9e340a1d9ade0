"""Sums up whole hours of minutes, by five minutes and as a whole, and again those in which something came late."""

from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from monitoring.metrics.models import RollUp
from monitoring.metrics.partitions import FIVES, HOURS, MINUTES, ensure

HOUR = timedelta(hours=1)
# What comes later than this after an hour's end says so itself (`note_late()`) …
ON_TIME = timedelta(minutes=2)
# … and the hour is summed up when whatever came in time has been committed.
SETTLED = timedelta(minutes=5)
# Hours in one call, a transaction each: beat comes again.
MOST = 100

NOTE = "INSERT INTO monitoring_rollup (hour) VALUES (%s) ON CONFLICT (hour) DO UPDATE SET rolled_at = NULL"
# Every hour of the partitions that are there.
ENROL = """
INSERT INTO monitoring_rollup (hour)
SELECT generate_series(%(start)s, %(last)s, interval '1 hour') ON CONFLICT DO NOTHING
"""
PARTITIONS = "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass(%s)"
CLAIM = "UPDATE monitoring_rollup SET rolled_at = %(now)s WHERE hour = %(hour)s AND rolled_at IS NULL"
# Hours from five minutes, these from minutes: all that is read but once.
SUM_UP = """
WITH minutes AS MATERIALIZED (
    SELECT *, date_bin('5 minutes', at, %(hour)s) AS five FROM monitoring_minute WHERE at >= %(hour)s AND at < %(end)s
), bucket AS (
    SELECT series_id, five, n, sum(number)::bigint AS number
    FROM minutes, unnest(buckets) WITH ORDINALITY AS b (number, n) WHERE buckets IS NOT NULL GROUP BY 1, 2, 3
), histogram AS (
    SELECT series_id, five, array_agg(number ORDER BY n) AS buckets FROM bucket GROUP BY 1, 2
), fives AS MATERIALIZED (
    SELECT series_id, five AS at, total, count, low, high, last, buckets FROM (
        SELECT series_id, five, sum(total) AS total, sum(count)::bigint AS count, min(low) AS low, max(high) AS high,
            (array_agg(last ORDER BY at DESC) FILTER (WHERE last IS NOT NULL))[1] AS last
        FROM minutes GROUP BY 1, 2
    ) summed LEFT JOIN histogram USING (series_id, five)
), kept AS (
    INSERT INTO monitoring_five (series_id, at, total, count, low, high, last, buckets)
    SELECT * FROM fives ORDER BY series_id, at {replace}
), hour_bucket AS (
    SELECT series_id, n, sum(number)::bigint AS number FROM bucket GROUP BY 1, 2
), hour_histogram AS (
    SELECT series_id, array_agg(number ORDER BY n) AS buckets FROM hour_bucket GROUP BY 1
), summed AS (
    SELECT series_id, sum(total) AS total, sum(count)::bigint AS count, min(low) AS low, max(high) AS high,
        (array_agg(last ORDER BY at DESC) FILTER (WHERE last IS NOT NULL))[1] AS last
    FROM fives GROUP BY 1
)
INSERT INTO monitoring_hour (series_id, at, total, count, low, high, last, buckets)
SELECT series_id, %(hour)s, total, count, low, high, last, buckets
FROM summed LEFT JOIN hour_histogram USING (series_id) ORDER BY series_id {replace}
""".format(  # noqa: S608  no input in it
    replace="""ON CONFLICT (series_id, at) DO UPDATE SET total = EXCLUDED.total, count = EXCLUDED.count, low = EXCLUDED.low,
        high = EXCLUDED.high, last = EXCLUDED.last, buckets = EXCLUDED.buckets"""
)


def hour_of(moment: datetime) -> datetime:
    """Its beginning."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def is_late(minute: datetime, *, now: datetime) -> bool:
    """Whether its hour may be summed up before this is committed."""
    return hour_of(minute) + HOUR + ON_TIME <= now


def note_late(minute: datetime) -> None:
    """Have its hour summed up again after this transaction, which holds the hour's row until then, so that neither overlooks the other."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [hour_of(minute)])


def roll_up(*, now: datetime, most: int = MOST) -> int:
    """Sum up the hours that are over, the oldest first, up to `most`. Several at once do no harm. Returns how many."""
    end = hour_of(now - SETTLED)
    _enrol(before=end)
    waiting = RollUp.objects.filter(rolled_at=None, hour__lt=end).order_by("hour")
    hours = list(waiting.values_list("hour", flat=True)[:most])
    if hours:
        ensure(hours, of=FIVES)
        ensure(hours, of=HOURS)
    return sum(_roll_up_hour(hour, now=now) for hour in hours)


def _enrol(*, before: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(PARTITIONS, [MINUTES.table])
        for (name,) in cursor.fetchall():
            start = MINUTES.start_from(name)
            last = min(MINUTES.end_of(start), before) - HOUR
            cursor.execute(ENROL, {"start": start, "last": last})


def _roll_up_hour(hour: datetime, *, now: datetime) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLAIM, {"hour": hour, "now": now})
        if not cursor.rowcount:
            return False
        cursor.execute(SUM_UP, {"hour": hour, "end": hour + HOUR})
    return True
