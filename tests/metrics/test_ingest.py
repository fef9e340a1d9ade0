"""`ingest()`: what a batch leaves behind."""

import logging
from datetime import timedelta, timezone

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from monitoring.metrics import ingest as ingesting
from monitoring.metrics.batches import InvalidBatch
from monitoring.metrics.ingest import NothingUsable
from monitoring.metrics.known import key_of, known_series
from monitoring.metrics.retention import forget_batches
from monitoring.models import Batch, Minute, Series
from tests.metrics.pushing import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    confidence,
    minute_of,
    push,
    series_of,
    signals,
    trades,
    value,
)

pytestmark = pytest.mark.django_db

NO_BUCKETS = [0] * 11


def buckets(**counts: int) -> list[int]:
    """`b7=2`: two in the eighth bucket of `signal_confidence`."""
    found = list(NO_BUCKETS)
    for name, number in counts.items():
        found[int(name[1:])] = number
    return found


# Refusals


def test_a_batch_of_nothing_usable_leaves_nothing() -> None:
    with pytest.raises(NothingUsable) as refused:
        push(trades(-1), value(float("nan")))
    assert [fault.index for fault in refused.value.rejected] == [0, 1]
    assert not Batch.objects.exists()
    assert not Series.objects.exists()


def test_a_batch_from_the_future_is_refused() -> None:
    push(trades(), at=NOW + timedelta(minutes=2), now=NOW)
    with pytest.raises(InvalidBatch, match=r"sent_at: is in the future.*120 s ahead"):
        push(trades(), at=NOW + timedelta(minutes=2, seconds=1), now=NOW)


def test_a_batch_of_which_nobody_knows_whether_it_was_counted_is_refused() -> None:
    push(trades(), at=NOW - timedelta(days=7), now=NOW)
    with pytest.raises(InvalidBatch, match="sent_at: is too old: it may be 7 days ago"):
        push(trades(), at=NOW - timedelta(days=7, seconds=1), now=NOW)


def test_a_batch_older_than_minutes_are_kept_is_refused(settings: Settings) -> None:
    settings.METRICS_MINUTES_DAYS = 3
    push(trades(), at=NOW - timedelta(days=3), now=NOW)
    with pytest.raises(InvalidBatch, match="sent_at: is too old: it may be 3 days ago"):
        push(trades(), at=NOW - timedelta(days=3, seconds=1), now=NOW)


def test_what_may_still_be_taken_is_still_known() -> None:
    """Sent by a clock that is ahead, sent again at the last moment: never counted twice."""
    sent = NOW + timedelta(minutes=2)
    push(trades(3), at=sent, now=NOW, batch_id="same")
    again = sent + timedelta(days=7)
    forget_batches(now=again)
    assert push(trades(3), at=sent, now=again, batch_id="same").repeated


def test_the_id_of_another_clients_batch_is_refused() -> None:
    push(trades(), batch_id="1", client="AAPL")
    with pytest.raises(InvalidBatch, match="batch_id: another client"):
        push(trades(), batch_id="1", client="MSFT")
    assert [series.client for series in Series.objects.all()] == ["AAPL"]


# State


def test_counters_add_up() -> None:
    push(trades(3), at=NOW)
    push(trades(0.5), at=NOW + 10 * SECOND)
    push(trades(2), at=NOW + MINUTE)
    series = series_of("trades_total")
    assert (series.value, series.first_at, series.at) == (5.5, NOW, NOW + MINUTE)
    assert series.labels == {"ticker": "AAPL", "side": "BUY", "status": "filled"}
    assert series.key == key_of("trades_total", "AAPL", series.labels)
    first, second = minute_of("trades_total"), minute_of("trades_total", NOW + MINUTE)
    assert (first.total, first.count, first.low, first.last) == (3.5, 0, None, None)
    assert second.total == 2


def test_clients_are_counted_apart() -> None:
    push(trades(3), client="AAPL")
    push(trades(4), client="MSFT")
    assert (series_of("trades_total", "AAPL").value, series_of("trades_total", "MSFT").value) == (3, 4)


def test_gauges_keep_the_newest_and_the_range_of_a_minute() -> None:
    for number, seconds in ((5.0, 0), (-9.0, 10), (2.0, 20)):
        push(value(number), at=NOW + seconds * SECOND)
    row = minute_of("portfolio_value_usd")
    assert (row.low, row.high, row.last, row.total, row.count) == (-9.0, 5.0, 2.0, -2.0, 3)
    assert series_of("portfolio_value_usd").value == 2.0


def test_an_older_value_of_a_gauge_does_not_replace_a_newer_one() -> None:
    push(value(5), at=NOW + 20 * SECOND)
    push(value(9), at=NOW, now=NOW + 20 * SECOND)
    push(value(1), at=NOW - MINUTE, now=NOW + 20 * SECOND)
    series, row = series_of("portfolio_value_usd"), minute_of("portfolio_value_usd")
    assert (series.value, series.at) == (5, NOW + 20 * SECOND)
    assert (row.last, row.high, row.count) == (5, 9, 2)
    assert minute_of("portfolio_value_usd", NOW - MINUTE).last == 1


def test_histograms_add_bucket_by_bucket() -> None:
    push(confidence(buckets(b0=1, b10=2), 3.5), at=NOW)
    push(confidence(buckets(b0=4, b5=1), 1.25), at=NOW + SECOND)
    series, row = series_of("signal_confidence"), minute_of("signal_confidence")
    for found, total in ((series, series.value), (row, row.total)):
        assert (total, found.count, found.buckets) == (4.75, 8, buckets(b0=5, b5=1, b10=2))


def test_one_series_named_twice_in_a_batch_is_merged() -> None:
    result = push(
        trades(1),
        value(7),
        trades(2),
        value(3),
        confidence(buckets(b1=1), 0.2),
        confidence(buckets(b1=2, b2=1), 0.6),
    )
    assert (result.accepted, result.rejected) == (6, [])
    assert series_of("trades_total").value == 3
    row = minute_of("portfolio_value_usd")
    assert (row.low, row.high, row.last, row.total, row.count) == (3, 7, 3, 10, 2)
    assert series_of("signal_confidence").buckets == buckets(b1=3, b2=1)


def test_a_known_batch_changes_nothing_and_gets_the_same_answer() -> None:
    first = push(trades(2), trades(-1), batch_id="same")
    again = push(trades(2), trades(-1), batch_id="same", now=NOW + HOUR)
    assert (first.repeated, again.repeated) == (False, True)
    assert (first.accepted, first.rejected) == (again.accepted, again.rejected)
    assert (first.accepted, [fault.index for fault in first.rejected]) == (1, [1])
    assert series_of("trades_total").value == 2
    assert Batch.objects.get().received_at == NOW


def test_the_minute_is_that_of_sending_whatever_the_zone() -> None:
    late = NOW - 3 * DAY
    push(trades(), at=late.astimezone(timezone_of(5.5)), now=NOW)
    assert [row.at for row in Minute.objects.all()] == [late.replace(second=0)]


def timezone_of(hours: float) -> timezone:
    return timezone(timedelta(hours=hours))


def test_a_known_series_needs_no_look_up() -> None:
    push(trades())
    with CaptureQueriesContext(connection) as asked:
        push(trades())
    reads = [query["sql"] for query in asked if "monitoring_series" in query["sql"]]
    assert len(reads) == 1


def test_a_series_that_vanished_is_made_again() -> None:
    push(trades(5), value(1))
    Series.objects.filter(name="trades_total").delete()
    push(trades(2), value(2))
    assert (series_of("trades_total").value, series_of("portfolio_value_usd").value) == (2, 2)


def test_a_key_is_not_taken_for_another_series_with_the_same_id() -> None:
    push(trades(5))
    pk = series_of("trades_total").pk
    Series.objects.all().delete()
    Series.objects.create(
        pk=pk, key=key_of("x", "y", {}), name="x", client="y", first_at=NOW, at=NOW, received_at=NOW
    )
    push(trades(2))
    assert series_of("trades_total").value == 2
    assert Series.objects.get(pk=pk).value == 0


# Bounds


@pytest.fixture
def _three_label_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "MOST_LABEL_SETS", 3)


@pytest.mark.usefixtures("_three_label_sets")
def test_beyond_the_bound_new_label_sets_are_counted_as_other(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for number in range(6):
            push(trades(1, ticker=f"T{number}"), at=NOW + number * SECOND)
        push(*(trades(1, ticker=f"T{number}", side="SELL") for number in range(3)), trades(10, ticker="T0"))
    tickers = {
        (series.labels["ticker"], series.labels["side"]): series.value for series in Series.objects.all()
    }
    assert tickers == {
        ("T0", "BUY"): 11,
        ("T1", "BUY"): 1,
        ("T2", "BUY"): 1,
        ("other", "BUY"): 3,
        ("other", "SELL"): 3,
    }
    assert series_of("trades_total", ticker="other", side="BUY").labels["status"] == "other"
    assert [record.getMessage() for record in caplog.records if "label sets" in record.getMessage()] == [
        "trades_total of AAPL has more than 3 label sets; what is new is counted as other"
    ]


@pytest.mark.usefixtures("_three_label_sets")
def test_the_bound_is_each_metrics_and_clients_own() -> None:
    push(*(trades(1, ticker=f"T{number}") for number in range(3)))
    push(signals(1), value(3))
    push(trades(1, ticker="T9"), client="MSFT")
    assert not Series.objects.filter(labels__ticker="other").exists()


def test_the_memory_of_known_series_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_series, "_most", 4)
    for number in range(10):
        push(trades(1, ticker=f"T{number}"), trades(1, ticker="T0"))
    assert len(known_series._keys) <= 4
    assert series_of("trades_total", ticker="T0").value == 11
