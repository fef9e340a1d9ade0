"""The decision, without a database: every way from one state to the next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring.triggers.choices import Act, Comparison, Condition, Problem
from monitoring.triggers.decision import Event, Outcome, Reading, Rule, State, decide

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
ABOVE = Rule(
    subject="risk",
    comparison=Comparison.ABOVE,
    threshold=80,
    second_threshold=95,
    clear_threshold=70,
    confirmations=3,
    action=Act.STOP,
    on_error=Act.STOP,
)
BELOW = replace(ABOVE, comparison=Comparison.BELOW, threshold=-80, second_threshold=-95, clear_threshold=-70)


def run(rule: Rule, *readings: Any, state: State | None = None) -> tuple[State, list[list[Event]]]:
    """One look a second, each at a new value; a Reading is taken as it is."""
    state, found = state or State(), []
    for number, reading in enumerate(readings):
        at = NOW + timedelta(seconds=number)
        given = reading if isinstance(reading, Reading) else Reading(value=reading, at=at)
        state, events = decide(rule, state, given, now=at)
        found.append(events)
    return state, found


def outcomes(found: list[list[Event]]) -> list[str]:
    """What happened at each look."""
    return ["+".join(event.outcome for event in events) for events in found]


@pytest.mark.parametrize(("rule", "sign"), [(ABOVE, 1), (BELOW, -1)])
@pytest.mark.parametrize(
    ("values", "expected", "condition"),
    [
        ((79.9,), [""], Condition.CLEAR),
        ((80,), [""], Condition.CONFIRMING),
        ((80, 80, 80), ["", "", "tripped"], Condition.TRIPPED),
        # One bad reading, or two, do not trip; nor do they count later.
        ((90, 50, 90, 90, 50, 90), [""] * 6, Condition.CONFIRMING),
        # The second threshold needs no confirmation.
        ((94.9,), [""], Condition.CONFIRMING),
        ((95,), ["tripped"], Condition.TRIPPED),
        ((90, 300), ["", "tripped"], Condition.TRIPPED),
        # A trip stays until the value is beyond the clear threshold.
        ((95, 75, 70, 69.9), ["tripped", "", "", "cleared"], Condition.CLEAR),
        # It is told once, and once more when it is much worse.
        (
            (80, 81, 82, 83, 94, 95, 96, 80, 99),
            ["", "", "tripped", "", "", "tripped", "", "", ""],
            Condition.TRIPPED,
        ),
        # And after it was over, again.
        ((95, 0, 95), ["tripped", "cleared", "tripped"], Condition.TRIPPED),
        ((95, 0, 80, 80), ["tripped", "cleared", "", ""], Condition.CONFIRMING),
    ],
)
def test_values(
    rule: Rule, sign: int, values: tuple[float, ...], expected: list[str], condition: Condition
) -> None:
    state, found = run(rule, *(sign * value for value in values))
    assert outcomes(found) == expected
    assert state.condition == condition


def test_the_same_reading_confirms_nothing() -> None:
    same = Reading(value=90, at=NOW)
    state, found = run(ABOVE, *[same] * 10)
    assert outcomes(found) == [""] * 10
    assert (state.condition, state.confirmed) == (Condition.CONFIRMING, 1)
    assert run(ABOVE, replace(same, value=91), state=state)[0].confirmed == 2
    older = Reading(value=90, at=NOW - timedelta(seconds=9))
    assert run(ABOVE, older, older, state=state)[0].confirmed == 1


def test_without_further_thresholds() -> None:
    rule = replace(ABOVE, second_threshold=None, clear_threshold=None, confirmations=1)
    state, found = run(rule, 80, 1e9, 80, 79.9)
    assert outcomes(found) == ["tripped", "", "", "cleared"]
    assert state.tripped_at is None


def test_the_moment_of_the_trip_and_its_words() -> None:
    state, found = run(
        replace(BELOW, subject="pnl", threshold=-5000, second_threshold=None, confirmations=1), 0, -5234.56
    )
    assert found[1] == [Event(Outcome.TRIPPED, Act.STOP, "pnl is −5,234.56, at or below −5,000")]
    assert state.tripped_at == NOW + timedelta(seconds=1)
    assert (state.value, state.value_at) == (-5234.56, NOW + timedelta(seconds=1))


def test_the_second_threshold_is_the_one_named() -> None:
    assert run(ABOVE, 96)[1][0][0].words == "risk is 96, at or above 95"


MISSING = Reading(problem=Problem.MISSING, words="nobody reports it")
STALE = Reading(problem=Problem.STALE, words="90 s old")
ERROR = Reading(problem=Problem.ERROR, words="broken")


def test_what_was_never_reported_waits() -> None:
    state, found = run(ABOVE, MISSING, MISSING)
    assert outcomes(found) == ["", ""]
    assert (state.condition, state.problem, state.error) == (Condition.WAITING, None, "nobody reports it")


@pytest.mark.parametrize(("reading", "act"), [(MISSING, Act.ALERT), (STALE, Act.ALERT), (ERROR, Act.STOP)])
def test_a_failure_is_told_as_the_row_says(reading: Reading, act: Act) -> None:
    state, found = run(ABOVE, 10, reading)
    assert found[1] == [Event(Outcome.FAILED, act, f"risk: {reading.words}")]
    assert (state.problem, state.problem_at) == (reading.problem, NOW + timedelta(seconds=1))
    assert state.error == reading.words
    # The other way round.
    turned = replace(ABOVE, on_missing=Act.STOP, on_error=Act.ALERT)
    (event,) = run(turned, 10, reading)[1][1]
    assert event.act != act


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), None])
def test_what_is_no_number_is_an_error(value: float | None) -> None:
    """Also the very first one."""
    for before in ((), (10,)):
        state, found = run(ABOVE, *before, Reading(value=value, at=NOW))
        assert [event.act for event in found[-1]] == [Act.STOP]
        assert state.problem == Problem.ERROR


def test_a_first_value_that_is_stale_is_told() -> None:
    assert outcomes(run(ABOVE, STALE)[1]) == ["failed"]


def test_a_failure_is_told_once_and_its_end_too() -> None:
    state, found = run(ABOVE, 10, STALE, STALE, STALE, 12, 12)
    assert outcomes(found) == ["", "failed", "", "", "recovered", ""]
    assert (state.problem, state.problem_at, state.error) == (None, None, "")


def test_another_failure_is_told_again() -> None:
    assert outcomes(run(ABOVE, 10, STALE, ERROR, 10)[1]) == ["", "failed", "failed", "recovered"]


def test_a_failure_keeps_what_was_confirmed_and_tripped() -> None:
    state, found = run(ABOVE, 90, 90, ERROR, 90)
    assert outcomes(found) == ["", "", "failed", "recovered+tripped"]
    state, found = run(ABOVE, 95, STALE, 96, STALE, 10)
    assert outcomes(found) == ["tripped", "failed", "recovered", "failed", "recovered+cleared"]
    assert state.condition == Condition.CLEAR


def test_idle_changes_nothing() -> None:
    before, _ = run(ABOVE, 95, STALE)
    after, found = run(ABOVE, Reading(idle=True), state=before)
    assert (after, outcomes(found)) == (before, [""])
