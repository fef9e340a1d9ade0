"""A trigger that watches circuit breakers: API_FAILURE."""

from datetime import timedelta
from typing import Any

import pytest

from killswitch.models import Activation, TradingClient
from monitoring.triggers import services
from monitoring.triggers.evaluating import evaluate
from monitoring.triggers.models import Trigger
from opsconsole.audit.tuned import Refused
from tests.breakers.reporting import NOW, Process, a_breaker
from tests.cast import ROOT
from tests.triggers.rows import mode, only, state_of, told

SECOND = timedelta(seconds=1)
WATCH: dict[str, Any] = {
    "name": "api-failure",
    "metric": "circuit_breaker_open_for_seconds",
    "aggregate": "LARGEST",
    "comparison": "ABOVE",
    "threshold": 60,
    "category": "SYSTEM_ERROR",
    "stop_reason": "API_FAILURE",
}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"aggregate": "SUM"}, "aggregate: must be LARGEST"),
        ({"comparison": "BELOW"}, "comparison: must be ABOVE"),
        ({"percent_of": "portfolio_value_usd"}, "percent_of: must be empty"),
        ({"stale_seconds": 60}, "stale_seconds: must be 0"),
        ({"labels": {"ticker": "AAPL"}}, "allowed are name"),
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        services.create(actor=ROOT, values=WATCH | {"name": "another"} | values, reason="")


def test_a_console_begins_with_one_that_alerts() -> None:
    trigger = Trigger.objects.get(name="api-failure")
    assert (trigger.enabled, trigger.action, trigger.threshold, trigger.stop_reason) == (
        True,
        "ALERT",
        300,
        "API_FAILURE",
    )
    assert evaluate(now=NOW).events == {}
    assert state_of(trigger).condition == "WAITING"


def test_it_stops_when_one_is_open_for_too_long_and_says_which() -> None:
    trigger = only(**WATCH, action="STOP", labels={"name": "yahoo_finance"})
    fine, broken = Process("MSFT"), Process("AAPL")
    fine.report(a_breaker(), a_breaker("sec_edgar"), now=NOW)
    broken.opens()
    fine.opens("sec_edgar")
    # Each change of state is looked at; so is time, by beat. A probe that fails does not begin anew.
    assert state_of(trigger).value == 10.0
    half = broken.changed("OPEN", "HALF_OPEN", why="timeout_over", ago_s=1.0)
    again = broken.changed("HALF_OPEN", "OPEN", why="probe_failed", ago_s=0.5)
    broken.report(a_breaker(state="OPEN", state_s=0.5), transitions=[half, again], now=NOW + 25 * SECOND)
    assert evaluate(now=NOW + 49 * SECOND).stopped == 0
    assert evaluate(now=NOW + 50 * SECOND).stopped == 1
    stop = Activation.objects.get()
    assert (stop.reason, mode()) == ("API_FAILURE", "HALTED")
    assert stop.message == (
        "Trigger api-failure: circuit_breaker_open_for_seconds of yahoo_finance in AAPL is 60, at or above 60"
    )


def test_an_alert_is_over_when_it_is_closed() -> None:
    only(**WATCH, action="ALERT")
    process = Process()
    process.opens()
    process.report(a_breaker(state="OPEN"), now=NOW + 25 * SECOND)
    evaluate(now=NOW + 51 * SECOND)
    assert told() == [("Trigger: api-failure", False)]
    process.report(
        a_breaker(), transitions=[process.changed("OPEN", "CLOSED", why="reset")], now=NOW + 52 * SECOND
    )
    assert told()[1:] == [("Trigger: api-failure", True)]


def test_what_is_forced_does_not_count_and_who_is_missed_does() -> None:
    trigger = only(**WATCH, action="ALERT")
    held = Process("held")
    held.report(a_breaker(state="OPEN", forced="OPEN"))
    evaluate(now=NOW)
    assert (state_of(trigger).value, state_of(trigger).condition) == (0.0, "CLEAR")
    # Released after long, and nobody calls: that is no failure, but what fails then is.
    tried = held.changed("OPEN", "HALF_OPEN", why="release", in_previous_s=3600.0)
    held.report(a_breaker(state="HALF_OPEN", state_s=10.0), transitions=[tried], now=NOW + SECOND)
    assert state_of(trigger).value == 0.0
    failed = held.changed("HALF_OPEN", "OPEN", why="probe_failed", ago_s=1.0)
    held.report(a_breaker(state="OPEN", state_s=1.0), transitions=[failed], now=NOW + 2 * SECOND)
    assert state_of(trigger).value == 1.0
    held.report(a_breaker(), transitions=[held.changed("OPEN", "CLOSED", why="reset")], now=NOW + 3 * SECOND)
    lost = Process("lost")
    TradingClient.objects.create(name="lost", instance=lost.instance, first_seen=NOW, last_seen=NOW)
    lost.opens(now=NOW + 3 * SECOND)
    evaluate(now=NOW + 38 * SECOND)
    assert state_of(trigger).error == "yahoo_finance was open in lost, which was last heard of 35 s ago"
    assert told() == [("Trigger cannot decide: api-failure", False)]
    # Another of its name has come, or it did say goodbye.
    Process("lost").report(a_breaker(), now=NOW + 39 * SECOND)
    evaluate(now=NOW + 40 * SECOND)
    assert state_of(trigger).problem == ""
