"""What triggers read: newest values, percents, and increases within a window."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from killswitch.models import TradingClient
from monitoring.metrics.hooks import after_batch
from monitoring.metrics.models import Minute
from monitoring.triggers.evaluating import evaluate
from tests.metrics.series import NOW, a_series
from tests.triggers.rows import GAUGE, hour, minute, mode, only, report, state_of, told

SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("aggregate", "expected"), [("SUM", -30.0), ("LARGEST", 10.0), ("SMALLEST", -40.0)])
def test_newest_values_of_several_clients(aggregate: str, expected: float) -> None:
    trigger = only(aggregate=aggregate)
    report(GAUGE, 10, at=NOW, client="desk-1")
    report(GAUGE, -40, at=NOW - SECOND, client="desk-2")
    evaluate(now=NOW)
    assert state_of(trigger).value == expected


def test_labels_choose() -> None:
    trigger = only(
        metric="risk_score", aggregate="LARGEST", comparison="ABOVE", threshold=80, labels={"ticker": "GE"}
    )
    report("risk_score", 99, at=NOW, ticker="AAPL", risk_type="var")
    report("risk_score", 5, at=NOW, ticker="GE", risk_type="var")
    evaluate(now=NOW)
    assert state_of(trigger).value == 5


def test_one_silent_process_among_several_is_stale() -> None:
    trigger = only(stale_seconds=60)
    report(GAUGE, 0, at=NOW, client="desk-1")
    report(GAUGE, -9000, at=NOW - 90 * SECOND, client="desk-2")
    evaluate(now=NOW)
    assert (state_of(trigger).problem, mode()) == ("STALE", "ACTIVE")


def a_process(name: str, *, left_at: datetime | None) -> None:
    TradingClient.objects.create(name=name, instance=name, first_seen=NOW, last_seen=NOW, left_at=left_at)


def test_a_process_that_said_goodbye_is_not_stale_and_its_loss_of_the_day_counts() -> None:
    trigger = only(stale_seconds=60)
    report(GAUGE, -1000, at=NOW, client="desk-1")
    report(GAUGE, -4000, at=NOW - 90 * SECOND, client="desk-2")
    a_process("desk-2", left_at=NOW - 80 * SECOND)
    evaluate(now=NOW)
    assert (state_of(trigger).value, mode()) == (-5000, "HALTED")


def test_its_loss_of_another_day_does_not() -> None:
    trigger = only(stale_seconds=60)
    report(GAUGE, -1000, at=NOW, client="desk-1")
    report(GAUGE, -4000, at=NOW - timedelta(days=1), client="desk-2")
    a_process("desk-2", left_at=NOW - timedelta(hours=23))
    evaluate(now=NOW)
    assert (state_of(trigger).value, mode()) == (-1000, "ACTIVE")
    # And when all have gone home, there is nothing to watch.
    a_process("desk-1", left_at=NOW)
    evaluate(now=NOW + timedelta(days=1))
    assert (state_of(trigger).problem, told()) == ("", [])


def test_percent_of_another_metric() -> None:
    trigger = only(percent_of="portfolio_value_usd", threshold=-5)
    for client, value in (("desk-1", 60_000), ("desk-2", 40_000)):
        report("portfolio_value_usd", value, at=NOW, client=client)
        report(GAUGE, -2450, at=NOW, client=client)
    evaluate(now=NOW)
    assert (state_of(trigger).value, mode()) == (-4.9, "ACTIVE")
    report("portfolio_value_usd", 38_000, at=NOW + SECOND, client="desk-2")
    after_batch({"portfolio_value_usd"}, {"desk-2"}, NOW + SECOND)
    # The loss is the same, of less.
    assert (state_of(trigger).value, mode()) == (-5.0, "HALTED")


@pytest.mark.parametrize("value", [0, -10, float("nan")])
def test_percent_of_nothing_is_an_error(value: float) -> None:
    trigger = only(percent_of="portfolio_value_usd", threshold=-5)
    report("portfolio_value_usd", value, at=NOW)
    report(GAUGE, -1, at=NOW)
    evaluate(now=NOW)
    assert state_of(trigger).problem == "ERROR"


@pytest.mark.usefixtures("minutes")
@pytest.mark.parametrize(
    ("aggregate", "expected"), [("INCREASE", 3.0), ("INCREASE_DAY", 7.0), ("INCREASE_MONTH", 15.0)]
)
def test_increases(aggregate: str, expected: float, settings: Settings) -> None:
    """NOW is 10:30 in New York on the 4th of March."""
    assert str(settings.TRADING_ZONE) == "America/New_York"
    trigger = only(
        metric="ai_cost_usd_total", aggregate=aggregate, window_seconds=300, comparison="ABOVE", threshold=1e9
    )
    one = a_series("ai_cost_usd_total", 999, client="desk-1", labels={"model": "a"})
    other = a_series("ai_cost_usd_total", 999, client="desk-2", labels={"model": "b"})
    foreign = a_series("ai_analyses_total", 999)
    minute(one, NOW, 1.0)
    minute(other, NOW - timedelta(minutes=5), 2.0)
    minute(foreign, NOW, 100.0)
    minute(one, NOW + timedelta(minutes=1), 50.0)  # of a clock that is ahead
    minute(one, NOW - timedelta(minutes=6), 1.5)
    minute(one, datetime(2026, 3, 4, 5, 0, tzinfo=UTC), 2.5)  # midnight
    minute(one, datetime(2026, 3, 4, 4, 59, tzinfo=UTC), 3.0)
    # Of one of them, the first hours are summed up, and of some the minutes are gone.
    hour(one, datetime(2026, 3, 4, 5, 0, tzinfo=UTC), 2.5)
    hour(one, datetime(2026, 3, 4, 4, 0, tzinfo=UTC), 3.0)
    hour(one, datetime(2026, 3, 1, 5, 0, tzinfo=UTC), 5.0)
    hour(one, datetime(2026, 3, 1, 4, 0, tzinfo=UTC), 7.0)  # February
    hour(foreign, datetime(2026, 3, 4, 5, 0, tzinfo=UTC), 70.0)
    evaluate(now=NOW)
    assert state_of(trigger).value == expected


@pytest.mark.usefixtures("minutes")
def test_a_window_that_begins_within_an_hour() -> None:
    """Its first minutes come one by one, though the hour is summed up."""
    trigger = only(
        metric="ai_cost_usd_total",
        aggregate="INCREASE",
        window_seconds=7200,
        comparison="ABOVE",
        threshold=1e9,
    )
    series = a_series("ai_cost_usd_total", 999)
    for minutes_ago, total in ((0, 1.0), (31, 2.0), (91, 4.0), (120, 8.0), (121, 16.0)):
        minute(series, NOW - timedelta(minutes=minutes_ago), total)
    hour(series, NOW - timedelta(hours=2), 8.0 + 16.0)
    hour(series, NOW - timedelta(hours=1), 2.0 + 4.0)
    Minute.objects.filter(at=NOW - timedelta(minutes=91)).delete()
    hour_of_now = NOW.replace(minute=0)
    assert Minute.objects.filter(at__gte=hour_of_now).count() == 1
    evaluate(now=NOW)
    assert state_of(trigger).value == 1.0 + 6.0 + 8.0


@pytest.mark.usefixtures("minutes")
def test_a_long_increase_is_not_added_up_with_each_batch() -> None:
    cost = "ai_cost_usd_total"
    trigger = only(
        metric=cost, aggregate="INCREASE_DAY", comparison="ABOVE", threshold=10, stop_reason="COST_ALERT"
    )
    series = a_series(cost, 1.0)
    after_batch({cost}, {"desk-1"}, NOW)
    minute(series, NOW, 11.0)
    after_batch({cost}, {"desk-1"}, NOW + 4 * SECOND)
    assert (state_of(trigger).value, mode()) == (0.0, "ACTIVE")
    after_batch({cost}, {"desk-1"}, NOW + 5 * SECOND)
    assert (state_of(trigger).value, mode()) == (11.0, "HALTED")


@pytest.mark.usefixtures("minutes")
def test_a_counter_that_stands_still_is_not_missing() -> None:
    trigger = only(metric="volatility_breach_total", aggregate="INCREASE", comparison="ABOVE", threshold=5)
    a_series("volatility_breach_total", 40, at=NOW - timedelta(days=3))
    evaluate(now=NOW)
    assert (state_of(trigger).value, state_of(trigger).condition) == (0, "CLEAR")
