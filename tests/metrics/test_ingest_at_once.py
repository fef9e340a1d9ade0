"""Batches that come at the same time, on connections of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

import pytest
from django.db import OperationalError, connection

from monitoring.metrics import ingest as ingesting
from monitoring.metrics import partitions, storing
from monitoring.metrics.checking import Ident
from monitoring.metrics.known import known_series
from monitoring.models import Batch, Series
from opsconsole.live.publish import CHANNEL
from tests.metrics.pushing import NOW, SECOND, minute_of, push, series_of, trades, value

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")
THREADS = 6


def at_once(work: Callable[[int], T]) -> list[T]:
    """`work` in several threads that begin together, each with a database connection of its own."""
    together = Barrier(THREADS)

    def one(number: int) -> T:
        try:
            with connection.cursor():
                together.wait()
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


def test_the_same_batch_is_counted_once() -> None:
    results = at_once(lambda _: push(trades(3), trades(-1), batch_id="same"))
    assert sorted(result.repeated for result in results) == [False] + [True] * (THREADS - 1)
    assert {(result.accepted, tuple(result.rejected)) for result in results} == {
        (1, tuple(results[0].rejected))
    }
    assert (series_of("trades_total").value, minute_of("trades_total").total) == (3, 3)


def test_every_batch_is_counted_whatever_the_order_of_its_series() -> None:
    def some(number: int) -> None:
        tickers = [f"T{index}" for index in range(40)]
        for turn in range(5):
            if (number + turn) % 2:
                tickers.reverse()
            rows = [trades(1, ticker=ticker) for ticker in tickers]
            push(*rows, client="AAPL" if number % 2 else "MSFT", at=NOW + turn * SECOND)

    at_once(some)
    assert Batch.objects.count() == 5 * THREADS
    assert {(series.client, series.value) for series in Series.objects.all()} == {
        ("AAPL", 15.0),
        ("MSFT", 15.0),
    }
    assert Series.objects.count() == 80


def test_the_bound_of_label_sets_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "MOST_LABEL_SETS", 5)
    at_once(lambda number: push(*(trades(1, ticker=f"T{number}-{index}") for index in range(4))))
    assert Series.objects.count() == 6
    assert sum(series.value for series in Series.objects.all()) == 4 * THREADS


def test_the_first_of_a_day_come_together() -> None:
    partitions.forget()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS monitoring_minute_20261125")
    at_once(lambda number: push(trades(1), client=f"client-{number}"))
    assert Series.objects.count() == THREADS


def test_a_client_whose_lock_is_held_is_refused_after_a_while_and_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(storing, "WAIT_MS", 50)
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext('AAPL'))", [storing.LOCK])
    with pytest.raises(OperationalError, match="lock timeout"):
        push(trades(1), client="AAPL")
    push(trades(1), client="MSFT")
    other.rollback()
    other.close()
    push(trades(1), client="AAPL")
    assert Batch.objects.count() == 2


def test_what_fails_leaves_nothing_and_may_be_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(storing, "add", fail)
        with pytest.raises(OperationalError):
            push(trades(3), batch_id="again")
    assert not Batch.objects.exists()
    assert not Series.objects.exists()
    assert not known_series._keys.keys() & {("AAPL", Ident("trades_total", ("AAPL", "BUY", "filled")))}
    assert push(trades(3), batch_id="again").repeated is False
    assert series_of("trades_total").value == 3


def test_pages_hear_of_a_batch_once_it_is_committed() -> None:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
    push(value(3), batch_id="told")
    push(value(3), batch_id="told")
    heard = [notify.payload for notify in other.connection.notifies(timeout=1, stop_after=2)]
    other.close()
    assert heard == ['{"topic":"metrics","ids":[]}']
