"""Hours that are over become hour rows."""

from threading import Thread

import pytest
from django.db import connection, transaction

from monitoring.metrics.rollup import note_late, roll_up
from monitoring.models import FiveMinutes, Hour, Minute, RollUp
from tests.metrics.pushing import HOUR, MINUTE, NOW, SECOND, confidence, push, series_of, trades, value

TOP = NOW.replace(minute=0, second=0)
SETTLED = TOP + HOUR + 5 * MINUTE


def hour_of(name: str) -> Hour:
    return Hour.objects.get(series_id=series_of(name).pk, at=TOP)


@pytest.mark.django_db
def test_an_hour_that_is_not_settled_is_left() -> None:
    push(trades(), at=TOP)
    roll_up(now=SETTLED - SECOND)
    assert not Hour.objects.exists()
    roll_up(now=SETTLED)
    assert Hour.objects.exists()


@pytest.mark.django_db
def test_an_hour_has_the_sums_of_its_minutes() -> None:
    push(trades(9), at=TOP - SECOND)
    push(trades(1), value(5), confidence([1] + [0] * 10, 0.5), at=TOP)
    push(trades(2), value(-3), confidence([2] + [0] * 9 + [1], 1.5), at=TOP + 30 * MINUTE)
    push(trades(4), value(4), at=TOP + HOUR - SECOND)
    push(trades(8), value(99), at=TOP + HOUR)
    roll_up(now=SETTLED)
    assert hour_of("trades_total").total == 7
    gauge = hour_of("portfolio_value_usd")
    assert (gauge.low, gauge.high, gauge.last, gauge.total, gauge.count) == (-3, 5, 4, 6, 3)
    histogram = hour_of("signal_confidence")
    assert (histogram.total, histogram.count, histogram.buckets) == (2, 4, [3] + [0] * 9 + [1])
    assert Minute.objects.count() == 11


@pytest.mark.django_db
def test_each_five_minutes_of_it_have_theirs() -> None:
    push(trades(1), value(5), confidence([1] + [0] * 10, 0.5), at=TOP)
    push(trades(2), value(-3), confidence([2] + [0] * 9 + [1], 1.5), at=TOP + 5 * MINUTE - SECOND)
    push(trades(4), at=TOP + 5 * MINUTE)
    push(trades(8), at=TOP + HOUR - SECOND)
    push(trades(16), at=TOP + HOUR)
    roll_up(now=SETTLED)
    counted = FiveMinutes.objects.filter(series_id=series_of("trades_total").pk).order_by("at")
    assert [((row.at - TOP) // MINUTE, row.total) for row in counted] == [(0, 3), (5, 4), (55, 8)]
    gauge = FiveMinutes.objects.get(series_id=series_of("portfolio_value_usd").pk)
    assert (gauge.low, gauge.high, gauge.last, gauge.total, gauge.count) == (-3, 5, -3, 2, 2)
    histogram = FiveMinutes.objects.get(series_id=series_of("signal_confidence").pk)
    assert (histogram.total, histogram.count, histogram.buckets) == (2, 4, [3] + [0] * 9 + [1])


@pytest.mark.django_db
def test_again_changes_nothing() -> None:
    push(trades(3), at=TOP)
    assert roll_up(now=SETTLED) > 0
    assert roll_up(now=SETTLED) == 0
    assert hour_of("trades_total").total == 3


@pytest.mark.django_db
def test_what_comes_late_is_summed_up_again() -> None:
    push(trades(3), at=TOP)
    roll_up(now=SETTLED)
    push(trades(2), value(1), at=TOP + MINUTE, now=SETTLED)
    assert roll_up(now=SETTLED) == 1
    assert (hour_of("trades_total").total, hour_of("portfolio_value_usd").last) == (5, 1)
    assert FiveMinutes.objects.get(series_id=series_of("trades_total").pk).total == 5


@pytest.mark.django_db
def test_what_comes_in_time_asks_for_nothing() -> None:
    push(trades(3), at=TOP + 59 * MINUTE, now=TOP + HOUR + MINUTE)
    assert not RollUp.objects.exists()


@pytest.mark.django_db
def test_hours_missed_by_beat_are_summed_up_beside_a_late_one() -> None:
    for number in range(4):
        push(trades(1), at=TOP - number * HOUR)
    push(trades(1), at=TOP, now=TOP + 3 * HOUR)
    roll_up(now=TOP + 3 * HOUR)
    assert [hour.total for hour in Hour.objects.order_by("at")] == [1, 1, 1, 2]


@pytest.mark.django_db
def test_only_so_many_hours_in_one_call_the_oldest_first() -> None:
    for number in range(4):
        push(trades(1), at=TOP - number * HOUR)
    roll_up(now=SETTLED)
    RollUp.objects.update(rolled_at=None)
    Hour.objects.all().delete()
    assert roll_up(now=SETTLED, most=13) == 13
    assert [hour.at for hour in Hour.objects.order_by("at")] == [TOP - 3 * HOUR]


@pytest.mark.django_db(transaction=True)
def test_a_late_batch_and_the_roll_up_wait_for_each_other() -> None:
    """The late one has said so and is not committed: the roll-up must not sum up without it."""
    push(trades(3), at=TOP)
    roll_up(now=SETTLED)

    def sum_up() -> None:
        try:
            roll_up(now=SETTLED)
        finally:
            connection.close()

    RollUp.objects.filter(hour=TOP).update(rolled_at=None)
    with transaction.atomic():
        note_late(TOP)
        Minute.objects.filter(at=TOP).update(total=10)
        other = Thread(target=sum_up)
        other.start()
        other.join(1)
        assert other.is_alive()
    other.join(10)
    assert hour_of("trades_total").total == 10
