"""What a trigger reads: the newest values of gauges with their ages, increases of counters, circuit breakers. One or two queries each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from killswitch.models import TradingClient
from monitoring.breakers.selectors import failing
from monitoring.day import span_of, today, trading_date
from monitoring.triggers.choices import INCREASES, Aggregate, Problem
from monitoring.triggers.decision import Reading
from monitoring.triggers.models import Trigger
from monitoring.triggers.values import BREAKERS

HOUR = timedelta(hours=1)

MATCHING = (
    "s.name = %(metric)s AND (%(client)s = '' OR s.client = %(client)s) AND s.labels @> %(labels)s::jsonb"
)
NEWEST = f"SELECT s.client, s.value, s.at FROM monitoring_series s WHERE {MATCHING}"  # noqa: S608  no input in it
# Whole hours from the hour rows, as far as they go for each series (`edge`); before and after them from the minutes.
INCREASE = f"""
WITH matching AS MATERIALIZED (
    SELECT s.id, s.at, coalesce((
        SELECT h.at + interval '1 hour' FROM monitoring_hour h
        WHERE h.series_id = s.id AND h.at >= %(first)s AND h.at < %(now)s ORDER BY h.at DESC LIMIT 1
    ), %(first)s) AS edge
    FROM monitoring_series s WHERE {MATCHING}
)
SELECT max(matching.at), coalesce(sum(r.total), 0)
FROM matching LEFT JOIN LATERAL (
    SELECT m.total FROM monitoring_minute m
    WHERE m.series_id = matching.id AND m.at >= %(start)s AND m.at < %(first)s AND m.at <= %(now)s
    UNION ALL
    SELECT h.total FROM monitoring_hour h
    WHERE h.series_id = matching.id AND h.at >= %(first)s AND h.at < matching.edge
    UNION ALL
    SELECT m.total FROM monitoring_minute m
    WHERE m.series_id = matching.id AND m.at >= matching.edge AND m.at <= %(now)s
) r ON true
"""  # noqa: S608  likewise


@dataclass(frozen=True, slots=True)
class Newest:
    client: str
    value: float
    at: datetime


def read(trigger: Trigger, *, now: datetime) -> Reading:
    """The trigger's value now. What is wrong with the data is a Reading with its problem; other errors are raised."""
    if trigger.metric == BREAKERS:
        return _read_breakers(trigger, now=now)
    reading = (
        _read_increase(trigger, now=now) if trigger.aggregate in INCREASES else _read_newest(trigger, now=now)
    )
    if not trigger.percent_of or reading.value is None:
        return reading
    return _in_percent(trigger, reading, now=now)


def start_of(trigger: Trigger, now: datetime) -> datetime:
    """Since when an increase counts; a window begins with the minute it lies in."""
    if trigger.aggregate == Aggregate.INCREASE:
        return (now - timedelta(seconds=trigger.window_seconds)).replace(second=0, microsecond=0)
    if trigger.aggregate == Aggregate.INCREASE_MONTH:
        return span_of(trading_date(now).replace(day=1)).start
    return today(now).start


def _read_breakers(trigger: Trigger, *, now: datetime) -> Reading:
    """What an operator holds open is nobody's failure. A process that went without a word while it was open is missed."""
    found = failing(now=now, name=trigger.labels.get("name", ""), client=trigger.client)
    if not found.known:
        return Reading(problem=Problem.MISSING, words="no process has reported such a circuit breaker")
    if found.longest is not None and found.longest.failing_since is not None:
        seconds = max(0.0, (now - found.longest.failing_since).total_seconds())
        return Reading(
            value=seconds, at=now, of=f"{found.longest.breaker.name} in {found.longest.process.name}"
        )
    if found.lost is not None:
        age = round((now - found.lost.process.reported_at).total_seconds())
        words = f"{found.lost.breaker.name} was open in {found.lost.process.name}, which was last heard of {age} s ago"
        return Reading(problem=Problem.STALE, words=words)
    return Reading(value=0.0, at=now)


def _read_newest(trigger: Trigger, *, now: datetime) -> Reading:
    found = _present(trigger, trigger.metric, now=now)
    if isinstance(found, Reading):
        return found
    match trigger.aggregate:
        case Aggregate.LARGEST:
            chosen = max(found, key=lambda series: series.value)
            return Reading(value=chosen.value, at=chosen.at)
        case Aggregate.SMALLEST:
            chosen = min(found, key=lambda series: series.value)
            return Reading(value=chosen.value, at=chosen.at)
    return Reading(value=sum(series.value for series in found), at=max(series.at for series in found))


def _read_increase(trigger: Trigger, *, now: datetime) -> Reading:
    start = start_of(trigger, now)
    first = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    parameters = _parameters(trigger, trigger.metric) | {
        "start": start,
        "first": first if first == start else first + HOUR,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(INCREASE, parameters)
        row = cursor.fetchone()
    assert row is not None  # noqa: S101  an aggregate yields one row
    at, value = row
    if at is None:
        return _missing(trigger.metric)
    found = _without_old(trigger, [Newest(trigger.client, value, at)], now=now)
    return found if isinstance(found, Reading) else Reading(value=value, at=at)


def _in_percent(trigger: Trigger, reading: Reading, *, now: datetime) -> Reading:
    found = _present(trigger, trigger.percent_of, now=now, labelled=False)
    if isinstance(found, Reading):
        return found
    whole = sum(series.value for series in found)
    if not whole > 0:
        return Reading(
            problem=Problem.ERROR,
            words=f"{trigger.percent_of} is {whole:g}: nothing can be in percent of that",
        )
    assert reading.value is not None  # noqa: S101  the caller's
    return Reading(value=100 * reading.value / whole, at=reading.at)


def _present(
    trigger: Trigger, metric: str, *, now: datetime, labelled: bool = True
) -> Sequence[Newest] | Reading:
    """The series that count now, or why there are none."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST, _parameters(trigger, metric, labelled=labelled))
        found = [Newest(*row) for row in cursor.fetchall()]
    return _without_old(trigger, found, now=now) if found else _missing(metric)


def _parameters(trigger: Trigger, metric: str, *, labelled: bool = True) -> dict[str, str | datetime]:
    labels = json.dumps(trigger.labels if labelled else {})
    return {"metric": metric, "client": trigger.client, "labels": labels}


def _without_old(trigger: Trigger, found: Sequence[Newest], *, now: datetime) -> Sequence[Newest] | Reading:
    """What counts now. A value that is too old is a problem, unless its process has said goodbye: then it counts until the trading day is over."""
    since = now - timedelta(seconds=trigger.stale_seconds)
    late = [series for series in found if series.at < since] if trigger.stale_seconds else []
    if not late:
        return found
    gone = _gone({series.client for series in late})
    missed = [series for series in late if series.client not in gone]
    if missed:
        return _stale(trigger, min(missed, key=lambda series: series.at), now=now)
    present = [series for series in found if series.at >= min(since, today(now).start)]
    return present or Reading(idle=True)


def _stale(trigger: Trigger, oldest: Newest, *, now: datetime) -> Reading:
    age = round((now - oldest.at).total_seconds())
    whose = f" of {oldest.client}" if oldest.client else ""
    return Reading(
        problem=Problem.STALE,
        words=f"the newest value{whose} is {age} s old; {trigger.stale_seconds} s are allowed",
    )


def _gone(clients: set[str]) -> set[str]:
    """Those whose newest process of that name has ended in good order."""
    newest = (
        TradingClient.objects.filter(name__in=clients)
        .order_by("name", "-last_seen", "-pk")
        .distinct("name")
        .values_list("name", "left_at")
    )
    return {name for name, left_at in newest if left_at is not None}


def _missing(metric: str) -> Reading:
    return Reading(problem=Problem.MISSING, words=f"no client has reported {metric}")
