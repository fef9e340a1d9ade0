"""Triggers on a database: what they read, and what they do about it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import DatabaseError, connection
from pytest_django import DjangoAssertNumQueries

from alerts.models import Submission
from killswitch import services as killswitch
from killswitch.models import Activation
from killswitch.services import deactivate
from monitoring.metrics.hooks import after_batch
from monitoring.metrics.models import Series
from monitoring.tasks import evaluate_triggers
from monitoring.triggers import evaluating, readings
from monitoring.triggers.evaluating import evaluate
from monitoring.triggers.models import Trigger, TriggerState
from tests.cast import ROOT
from tests.metrics.series import NOW
from tests.triggers.rows import GAUGE, mode, only, report, state_of, told

SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db(transaction=True)


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
