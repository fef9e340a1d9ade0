"""Partitions: made when needed, by several at once, and dropped when old."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from monitoring.metrics import partitions, retention
from monitoring.metrics.partitions import FIVES, HOURS, MINUTES, ensure, ensure_ahead
from monitoring.metrics.retention import drop_old, forget_batches
from monitoring.metrics.rollup import roll_up
from monitoring.models import Batch, Hour, Minute, RollUp
from tests.metrics.pushing import DAY, HOUR, NOW, minute_of, push, series_of, trades

OLD = NOW - 29 * DAY


def attached(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = %s::regclass AND NOT inhdetachpending "
            "ORDER BY 1",
            [table],
        )
        return [name for (name,) in cursor.fetchall()]


def tables(like: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE %s ORDER BY 1", [like]
        )
        return [name for (name,) in cursor.fetchall()]


def one_value(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return row and row[0]


# Making


@pytest.mark.parametrize(
    ("of", "moment", "name", "start", "end"),
    [
        (
            MINUTES,
            datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
            "monitoring_minute_20261231",
            datetime(2026, 12, 31, tzinfo=UTC),
            datetime(2027, 1, 1, tzinfo=UTC),
        ),
        (
            HOURS,
            datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
            "monitoring_hour_202612",
            datetime(2026, 12, 1, tzinfo=UTC),
            datetime(2027, 1, 1, tzinfo=UTC),
        ),
        (
            HOURS,
            datetime(2028, 2, 29, tzinfo=UTC),
            "monitoring_hour_202802",
            datetime(2028, 2, 1, tzinfo=UTC),
            datetime(2028, 3, 1, tzinfo=UTC),
        ),
    ],
)
def test_names_and_ranges(of: Any, moment: datetime, name: str, start: datetime, end: datetime) -> None:
    assert of.name_of(moment) == name
    assert of.start_from(name) == of.start_of(moment) == start
    assert of.end_of(of.start_of(moment)) == end


@pytest.mark.django_db
def test_a_partition_has_its_range_and_its_key_and_no_check() -> None:
    ensure([NOW])
    assert attached("monitoring_minute") == ["monitoring_minute_20261125"]
    bounds = (
        "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'monitoring_minute_20261125'"
    )
    assert one_value(bounds) == "FOR VALUES FROM ('2026-11-25 00:00:00+00') TO ('2026-11-26 00:00:00+00')"
    constraints = "SELECT array_agg(contype::text) FROM pg_constraint WHERE conrelid = 'monitoring_minute_20261125'::regclass AND contype <> 'n'"
    assert one_value(constraints) == ["p"]


@pytest.mark.django_db
def test_those_of_the_next_days_are_made_ahead() -> None:
    ensure_ahead(now=datetime(2026, 11, 29, 12, tzinfo=UTC))
    assert attached("monitoring_minute") == [
        f"monitoring_minute_{day}" for day in (20261129, 20261130, 20261201)
    ]
    assert attached("monitoring_five") == [f"monitoring_five_{day}" for day in (20261129, 20261130, 20261201)]
    assert attached("monitoring_hour") == ["monitoring_hour_202611", "monitoring_hour_202612"]


@pytest.mark.django_db
def test_a_late_batch_gets_its_own_day() -> None:
    push(trades(2), at=NOW - 7 * DAY, now=NOW)
    assert attached("monitoring_minute") == ["monitoring_minute_20261118"]
    assert minute_of("trades_total", NOW - 7 * DAY).total == 2


@pytest.mark.django_db
def test_a_partition_that_vanished_is_made_again() -> None:
    push(trades(2))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE monitoring_minute_20261125")
    push(trades(3))
    assert (minute_of("trades_total").total, series_of("trades_total").value) == (3, 5)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one() -> None:
    day = datetime(2031, 5, 5, tzinfo=UTC)

    def make(_: int) -> None:
        # As if each were a process of its own.
        partitions.forget()
        try:
            ensure([day])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(8)))
    assert "monitoring_minute_20310505" in attached("monitoring_minute")
    drop("monitoring_minute_20310505")


def drop(*names: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {', '.join(names)}")


# Dropping


@pytest.fixture
def _no_partitions(transactional_db: None) -> None:
    del transactional_db
    if found := tables("monitoring_minute_2%") + tables("monitoring_five_2%") + tables("monitoring_hour_2%"):
        drop(*found)


@pytest.mark.django_db
def test_dropping_belongs_in_no_transaction() -> None:
    with pytest.raises(RuntimeError, match="own transactions"):
        drop_old(now=NOW)


@pytest.mark.usefixtures("_no_partitions")
def test_what_is_older_than_it_is_kept_is_dropped() -> None:
    ensure([NOW - number * DAY for number in (29, 30, 31, 40)])
    ensure([NOW - number * DAY for number in (30, 31)], of=FIVES)
    ensure([datetime(2025, month, 15, tzinfo=UTC) for month in (9, 10, 11)], of=HOURS)
    assert drop_old(now=NOW) == [
        "monitoring_minute_20261016",
        "monitoring_minute_20261025",
        "monitoring_five_20261025",
        "monitoring_hour_202509",
    ]
    # Of the day that is 30 days ago a part is still kept.
    assert (
        attached("monitoring_minute")
        == tables("monitoring_minute_2%")
        == ["monitoring_minute_20261026", "monitoring_minute_20261027"]
    )
    assert tables("monitoring_hour_2%") == ["monitoring_hour_202510", "monitoring_hour_202511"]


@pytest.mark.usefixtures("_no_partitions")
def test_after_dropping_a_partition_can_be_made_again() -> None:
    ensure([NOW - 40 * DAY])
    drop_old(now=NOW)
    ensure([NOW - 40 * DAY])
    assert attached("monitoring_minute") == ["monitoring_minute_20261016"]


@pytest.mark.usefixtures("_no_partitions")
def test_minutes_that_are_not_summed_up_are_not_dropped() -> None:
    push(trades(2), at=OLD, now=OLD + 3 * HOUR)
    later = OLD + 32 * DAY
    assert RollUp.objects.get().rolled_at is None
    assert drop_old(now=later) == []
    roll_up(now=later)
    assert drop_old(now=later) == ["monitoring_minute_20261027", "monitoring_five_20261027"]
    assert Hour.objects.get().total == 2


@pytest.mark.usefixtures("_no_partitions")
def test_what_is_in_use_is_left_until_the_next_time(django_db_blocker: Any) -> None:
    ensure([NOW - 40 * DAY, NOW])
    other = connection.copy()
    with django_db_blocker.unblock():
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM monitoring_minute")
        assert drop_old(now=NOW) == []
        assert tables("monitoring_minute_20261016")
        # Nobody waits for it: what came before is half detached, and batches are counted.
        push(trades(2))
        other.rollback()
        other.close()
    assert drop_old(now=NOW) == ["monitoring_minute_20261016"]
    assert tables("monitoring_minute_2%") == ["monitoring_minute_20261125"]


@pytest.mark.usefixtures("_no_partitions")
def test_what_was_detached_and_not_dropped_is_dropped() -> None:
    ensure([NOW - 40 * DAY])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE monitoring_minute DETACH PARTITION monitoring_minute_20261016")
    assert drop_old(now=NOW) == ["monitoring_minute_20261016"]
    assert tables("monitoring_minute_2%") == []


@pytest.mark.usefixtures("_no_partitions")
def test_waits_are_short_only_while_dropping() -> None:
    before = one_value("SHOW lock_timeout")
    ensure([NOW - 40 * DAY])
    drop_old(now=NOW)
    assert one_value("SHOW lock_timeout") == before


@pytest.mark.django_db
def test_batches_are_forgotten_after_a_week_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PIECE", 2)
    for number in range(5):
        push(trades(), at=NOW - 7 * DAY - (number + 2) * HOUR)
    push(trades(), at=NOW - 7 * DAY, batch_id="kept")
    assert forget_batches(now=NOW) == 5
    assert [batch.pk for batch in Batch.objects.all()] == ["kept"]
    assert Minute.objects.exists()


@pytest.mark.django_db
def test_months_are_kept_as_long_as_is_set(settings: Any) -> None:
    settings.METRICS_HOURS_MONTHS, settings.METRICS_MINUTES_DAYS = 2, 3
    assert (retention.hours_kept(), retention.minutes_kept()) == (timedelta(days=62), timedelta(days=3))
