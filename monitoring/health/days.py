"""For how long each component had which status, day by day: the bars of the last 90 days."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from monitoring.health.choices import Status

ADD = """
INSERT INTO monitoring_healthday (component_id, day, healthy, degraded, unhealthy, unknown)
SELECT * FROM unnest(%s::bigint[], %s::date[], %s::float8[], %s::float8[], %s::float8[], %s::float8[])
ON CONFLICT (component_id, day) DO UPDATE SET healthy = monitoring_healthday.healthy + EXCLUDED.healthy,
    degraded = monitoring_healthday.degraded + EXCLUDED.degraded,
    unhealthy = monitoring_healthday.unhealthy + EXCLUDED.unhealthy, unknown = monitoring_healthday.unknown + EXCLUDED.unknown
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A component had one status from `start` until just before `end`."""

    component_id: int
    status: Status
    start: datetime
    end: datetime


def add(stretches: Iterable[Stretch]) -> None:
    """Add them to their days; call it in the transaction that moves on `summed_until`."""
    sums: dict[tuple[int, date], dict[Status, float]] = {}
    for stretch in stretches:
        for day, seconds in by_day(stretch.start, stretch.end):
            row = sums.setdefault((stretch.component_id, day), dict.fromkeys(Status, 0.0))
            row[stretch.status] += seconds
    if not sums:
        return
    # In one order, so that two who add cannot wait for each other.
    keys = sorted(sums)
    columns: list[Any] = [
        [component_id for component_id, _ in keys],
        [day for _, day in keys],
        *([sums[key][status] for key in keys] for status in Status),
    ]
    with connection.cursor() as cursor:
        cursor.execute(ADD, columns)


def by_day(start: datetime, end: datetime) -> Iterator[tuple[date, float]]:
    """Seconds of each day of the setting TIME_ZONE that the stretch touches."""
    zone = timezone.get_default_timezone()
    while start < end:
        day = start.astimezone(zone).date()
        midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
        until = min(end, midnight)
        # The difference of two times of one zone would ignore a change of clocks.
        yield day, until.timestamp() - start.timestamp()
        start = until
