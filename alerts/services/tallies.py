"""Sums up the tallies of minutes into those of hours, and those into days, so that a week is few rows to read; and what was sent into ten minutes."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

# By then the last decision of an hour has been committed.
SETTLED = timedelta(minutes=5)


HOURS = """
INSERT INTO alerts_hourtally (hour, hours, category, priority, decision, count)
SELECT date_trunc('hour', minute, 'UTC'), 1, category, priority, decision, sum(count)
FROM alerts_minutetally
WHERE minute < %(end)s
  AND minute >= coalesce((SELECT max(hour) + interval '1 hour' FROM alerts_hourtally WHERE hours = 1), '-infinity')
GROUP BY 1, 3, 4, 5
ON CONFLICT DO NOTHING
"""
DAYS = """
INSERT INTO alerts_hourtally (hour, hours, category, priority, decision, count)
SELECT date_trunc('day', hour, 'UTC'), 24, category, priority, decision, sum(count)
FROM alerts_hourtally
WHERE hours = 1 AND hour < date_trunc('day', %(end)s, 'UTC')
  AND hour >= coalesce((SELECT max(hour) + interval '1 day' FROM alerts_hourtally WHERE hours = 24), '-infinity')
GROUP BY 1, 3, 4, 5
ON CONFLICT DO NOTHING
"""


TENS = """
INSERT INTO alerts_tenminutetally (number, category, sent)
SELECT floor(extract(epoch FROM minute) / 600), category, sum(count)
FROM alerts_minutetally
WHERE decision = 'SENT' AND minute < %(end)s
  AND minute >= coalesce((SELECT to_timestamp(600 * (max(number) + 1)) FROM alerts_tenminutetally), '-infinity')
GROUP BY 1, 2
ON CONFLICT DO NOTHING
"""


@transaction.atomic
def sum_up_hours(*, now: datetime | None = None) -> int:
    """Every hour and day (UTC) that is over and not summed up yet. Several at once do no harm. Returns the number of rows written."""
    end = ((now or timezone.now()) - SETTLED).replace(minute=0, second=0, microsecond=0)
    written = 0
    with connection.cursor() as cursor:
        for statement in (HOURS, DAYS, TENS):
            cursor.execute(statement, {"end": end})
            written += cursor.rowcount
    return written
