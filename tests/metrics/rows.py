"""Series and their rows, written straight into the tables."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import connection

from monitoring.metrics.models import FiveMinutes, Hour, Minute, Series


def partitions() -> None:
    """One partition for everything. Part of the test's transaction, so it goes by itself."""
    with connection.cursor() as cursor:
        for table in ("monitoring_minute", "monitoring_five", "monitoring_hour"):
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {table}_all PARTITION OF {table} DEFAULT")


def at(text: str) -> datetime:
    """`2026-11-20 14:30` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_series(
    name: str, /, *, client: str = "desk-1", when: datetime | None = None, value: float = 0, **labels: str
) -> Series:
    moment = when or at("2026-11-20 14:30")
    return Series.objects.create(
        key=uuid.uuid4(), name=name, client=client, labels=labels, value=value, first_at=moment, at=moment, received_at=moment
    )  # fmt: skip


def minute(series: Series, when: str, total: float = 0, **fields: float | None) -> None:
    Minute.objects.create(series=series, at=at(when), total=total, **{"count": 1, **fields})


def gauge(series: Series, when: str, *values: float) -> None:
    minute(series, when, sum(values), count=len(values), low=min(values), high=max(values), last=values[-1])


def histogram(series: Series, when: str, buckets: Sequence[int], total: float) -> None:
    Minute.objects.create(series=series, at=at(when), total=total, count=sum(buckets), buckets=list(buckets))


def five(series: Series, when: str, total: float = 0, **fields: float | None) -> None:
    FiveMinutes.objects.create(series=series, at=at(when), total=total, **{"count": 1, **fields})


def hour(series: Series, when: str, total: float = 0, **fields: float | None) -> None:
    Hour.objects.create(series=series, at=at(when), total=total, **{"count": 1, **fields})
