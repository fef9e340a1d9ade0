"""Triggers on a database: what they read, and what they do about it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import DatabaseError, connection
from pytest_django import DjangoAssertNumQueries, Settings

from alerts.models import Submission
from killswitch import services as killswitch
from killswitch.models import Activation, Switch, TradingClient
from killswitch.services import deactivate
from monitoring.metrics.hooks import after_batch
from monitoring.metrics.models import Minute, Series
from monitoring.tasks import evaluate_triggers
from monitoring.triggers import evaluating, readings
from monitoring.triggers.evaluating import evaluate
from monitoring.triggers.models import Trigger, TriggerState
from tests.cast import ROOT
from tests.metrics.series import NOW, a_series
from tests.triggers.rows import GAUGE, hour, minute, only, report, state_of

SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db(transaction=True)


def told() -> list[tuple[str, bool]]:
    """Titles of the triggers' alerts that wait for their decision, and whether they say that it is over."""
    rows = Submission.objects.filter(alert__source="triggers").order_by("pk")
    return [(row.alert["title"], row.alert["resolved"]) for row in rows]


def mode(scope: str = "global") -> str:
    return Switch.objects.filter(scope=scope).values_list("mode", flat=True).first() or "ACTIVE"


# Nothing


def test_nothing_reported_is_nothing_told() -> None:
    """A new console watches all it can, and alarms nobody."""
    assert Trigger.objects.filter(enabled=True).count() >= 9
    assert evaluate(now=NOW).events == {}
    assert told() == []
    assert mode() == "ACTIVE"


def test_a_disabled_trigger_does_nothing() -> None:
    only(enabled=False)
    report(GAUGE, -9000, at=NOW)
    assert evaluate(now=NOW).stopped == 0
    assert mode() == "ACTIVE"


# Stops


def test_a_batch_that_reaches_the_threshold_stops() -> None:
    trigger = only(stop_scope="account:main")
    report(GAUGE, -5234.56, at=NOW)
    after_batch({GAUGE}, {"desk-1"}, NOW)
    activation = Activation.objects.get()
    assert (activation.scope, activation.mode, activation.reason) == (
        "account:main",
        "HALTED",
        "DAILY_LOSS_LIMIT",
    )
    assert activation.activated_by == "triggers"
    assert activation.message == "Trigger loss: portfolio_daily_pnl_usd is −5,234.56, at or below −5,000"
    assert activation.metadata == {"trigger": "loss", "metric": GAUGE, "threshold": -5000.0}
    assert (state_of(trigger).condition, state_of(trigger).stop_due) == ("TRIPPED", "")
    # The kill switch tells of it.
    assert told() == []
    assert Submission.objects.filter(alert__source="killswitch").count() == 1


def test_other_metrics_and_clients_are_not_looked_at() -> None:
    only(client="desk-1")
    report(GAUGE, -9000, at=NOW)
    after_batch({"portfolio_value_usd"}, {"desk-1"}, NOW)
    after_batch({GAUGE}, {"desk-2"}, NOW)
    assert mode() == "ACTIVE"
    after_batch({GAUGE}, {"desk-1", "desk-2"}, NOW)
    assert mode() == "HALTED"


def test_it_stops_once_until_it_is_clear() -> None:
    only(clear_threshold=-4000)
    for number, value in enumerate((-6000, -6100, -4500)):
        report(GAUGE, value, at=NOW + number * SECOND)
        evaluate(now=NOW + number * SECOND)
        if number == 0:
            deactivate(actor=ROOT, message="we know")
    assert (Activation.objects.count(), mode()) == (1, "ACTIVE")
    report(GAUGE, -3999, at=NOW + 5 * SECOND)
    evaluate(now=NOW + 5 * SECOND)
    report(GAUGE, -5000, at=NOW + 6 * SECOND)
    evaluate(now=NOW + 6 * SECOND)
    assert (Activation.objects.count(), mode()) == (2, "HALTED")


def test_a_stopped_scope_is_not_stopped_again() -> None:
    only()
    report(GAUGE, -6000, at=NOW)
    evaluate(now=NOW)
    second = only(name="another")
    evaluate(now=NOW)
    assert Activation.objects.count() == 1
    assert state_of(second).condition == "TRIPPED"


def test_confirmations_want_new_values() -> None:
    trigger = only(confirmations=2)
    report(GAUGE, -6000, at=NOW)
    for number in range(5):
        evaluate(now=NOW + number * SECOND)
    assert (mode(), state_of(trigger).confirmed) == ("ACTIVE", 1)
    report(GAUGE, -6000, at=NOW + SECOND)
    evaluate(now=NOW + 6 * SECOND)
    assert mode() == "HALTED"


def test_a_stop_that_fails_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    trigger = only()
    report(GAUGE, -6000, at=NOW)

    def fail(**_: Any) -> None:
        raise DatabaseError("the lock was not there")

    with monkeypatch.context() as patch:
        patch.setattr(killswitch, "activate", fail)
        assert evaluate(now=NOW).stopped == 0
    assert told() == [("Trigger could not stop trading: loss", False)]
    assert state_of(trigger).stop_due
    # Whatever became of the value, and of the trigger: it was decided.
    report(GAUGE, 0, at=NOW + SECOND)
    Trigger.objects.update(enabled=False)
    evaluate_triggers()
    assert (mode(), state_of(trigger).stop_due) == ("HALTED", "")


def test_one_that_cannot_be_read_keeps_no_other_from_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = only(name="bad")
    Trigger.objects.filter(pk=bad.pk).update(labels=["no", "object"])
    good = Trigger.objects.create(**{**_values(bad), "name": "good", "labels": {}})
    TriggerState.objects.create(trigger=good)
    report(GAUGE, -6000, at=NOW)
    real = readings.read

    def read(trigger: Trigger, *, now: datetime) -> Any:
        if trigger.name == "bad":
            connection.cursor().execute("SELECT 1 / 0")
        return real(trigger, now=now)

    monkeypatch.setattr(evaluating, "read", read)
    assert evaluate(now=NOW).stopped == 1
    assert (state_of(bad).problem, state_of(bad).error) == ("ERROR", "it could not be read (DataError)")
    assert told() == [("Trigger cannot decide: bad", False)]


def _values(trigger: Trigger) -> dict[str, Any]:
    fields = [field.name for field in Trigger._meta.fields if field.name != "id"]
    return {name: getattr(trigger, name) for name in fields}


def test_several_processes_stop_once() -> None:
    only(confirmations=1)
    report(GAUGE, -6000, at=NOW)
    together = Barrier(4)

    def look(_: int) -> int:
        together.wait(10)
        try:
            return evaluate(now=NOW).stopped
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(look, range(4))) == 1
    assert Activation.objects.count() == 1


# Alerts


def test_an_alert_and_its_end() -> None:
    only(action="ALERT", category="COST_ALERT", priority="LOW")
    for number, value in enumerate((-6000, -6000, 0)):
        report(GAUGE, value, at=NOW + number * SECOND)
        evaluate(now=NOW + number * SECOND)
    assert told() == [("Trigger: loss", False), ("Trigger: loss", True)]
    alert = Submission.objects.order_by("pk").first()
    assert alert is not None
    assert (alert.alert["category"], alert.alert["priority"]) == ("COST_ALERT", "LOW")
    assert alert.alert["labels"] == {"trigger": "loss", "metric": GAUGE}
    assert mode() == "ACTIVE"


@pytest.mark.parametrize(("act", "stops"), [("ALERT", False), ("STOP", True)])
def test_what_is_missing_is_loud(act: str, stops: bool) -> None:
    only(on_missing=act)
    report(GAUGE, 0, at=NOW)
    evaluate(now=NOW)
    Series.objects.all().delete()
    evaluate(now=NOW + SECOND)
    assert (mode() == "HALTED") is stops
    assert told() == ([] if stops else [("Trigger cannot decide: loss", False)])
    if stops:
        assert Activation.objects.get().reason == "DATA_QUALITY"


@pytest.mark.parametrize(("act", "stops"), [("ALERT", False), ("STOP", True)])
def test_what_is_stale_is_loud_by_beat_alone(act: str, stops: bool) -> None:
    trigger = only(on_missing=act, stale_seconds=60)
    report(GAUGE, 0, at=NOW)
    evaluate(now=NOW + 60 * SECOND)
    assert told() == []
    evaluate(now=NOW + 61 * SECOND)
    assert (mode() == "HALTED") is stops
    assert state_of(trigger).error == "the newest value of desk-1 is 61 s old; 60 s are allowed"
    report(GAUGE, 0, at=NOW + 62 * SECOND)
    evaluate(now=NOW + 62 * SECOND)
    assert state_of(trigger).problem == ""
    assert told()[-1] == ("Trigger cannot decide: loss", True)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_loud(value: float) -> None:
    only(on_error="STOP")
    report(GAUGE, value, at=NOW)
    evaluate(now=NOW)
    assert mode() == "HALTED"


# What is read


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


# Order and cost


def test_a_clock_behind_does_not_hide_a_newer_value() -> None:
    trigger = only()
    report(GAUGE, 0, at=NOW)
    evaluate(now=NOW + 5 * SECOND)
    report(GAUGE, -9000, at=NOW + SECOND)
    evaluate(now=NOW + SECOND)
    assert mode() == "HALTED"
    assert state_of(trigger).evaluated_at == NOW + 5 * SECOND


def test_a_batch_costs_few_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    only()
    report(GAUGE, 0, at=NOW)
    # BEGIN, limits of waiting and COMMIT are three; then the states, the reading, the leave not to wait for the disk, the states again.
    with django_assert_num_queries(4):
        after_batch({"trades_total"}, {"desk-1"}, NOW)
    with django_assert_num_queries(7):
        after_batch({GAUGE}, {"desk-1"}, NOW)
