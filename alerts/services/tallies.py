"""Sums up the tallies of minutes into those of hours, so that a week is few rows to read."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

# By then the last decision of an hour has been committed.
SETTLED = timedelta(minutes=5)


@transaction.atomic
def sum_up_hours(*, now: datetime | None = None) -> int:
    """Every hour that is over and not summed up yet. Several at once do no harm. Returns the number of rows written."""
    end = ((now or timezone.now()) - SETTLED).replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO alerts_hourtally (hour, category, priority, decision, count)
            SELECT date_trunc('hour', minute, 'UTC'), category, priority, decision, sum(count)
            FROM alerts_minutetally
            WHERE minute < %(end)s
              AND minute >= coalesce((SELECT max(hour) + interval '1 hour' FROM alerts_hourtally), '-infinity')
            GROUP BY 1, 2, 3, 4
            ON CONFLICT DO NOTHING
            """,
            {"end": end},
        )
        written: int = cursor.rowcount
    return written
