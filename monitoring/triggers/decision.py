"""Whether a trigger trips. Pure: no database, no clock of its own."""

import math
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from monitoring.triggers.choices import Act, Comparison, Condition, Problem

LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What of a trigger decides. `subject`: what it reads, for people. `clear_threshold` None: the threshold itself."""

    subject: str
    comparison: Comparison
    threshold: float
    second_threshold: float | None = None
    clear_threshold: float | None = None
    confirmations: int = 1
    action: Act = Act.ALERT
    on_missing: Act = Act.ALERT
    on_error: Act = Act.ALERT

    def reaches(self, value: float, threshold: float) -> bool:
        return value >= threshold if self.comparison == Comparison.ABOVE else value <= threshold

    def is_clear(self, value: float) -> bool:
        """Back beyond the clear threshold, which itself is still tripped."""
        clear = self.threshold if self.clear_threshold is None else self.clear_threshold
        return not self.reaches(value, clear)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`value`, `value_at`: the newest reading, and when its client had it. `far`: the second threshold was reached. `problem`: told, not over yet."""

    condition: Condition = Condition.WAITING
    confirmed: int = 0
    far: bool = False
    tripped_at: datetime | None = None
    value: float | None = None
    value_at: datetime | None = None
    problem: Problem | None = None
    problem_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value and when its client had it, or why there is none. `words`: what is wrong, for people. `idle`: there is nothing to watch,
    since every process has ended in good order. `of`: whose value it is, where there are several.
    """

    value: float | None = None
    at: datetime | None = None
    problem: Problem | None = None
    words: str = ""
    idle: bool = False
    of: str = ""


class Outcome(StrEnum):
    NOTHING = "nothing"
    TRIPPED = "tripped"
    CLEARED = "cleared"
    # There is no value to decide by, and then there is one again.
    FAILED = "failed"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Event:
    """`act`: what to do about it; None for what is over."""

    outcome: Outcome
    act: Act | None
    words: str


def decide(rule: Rule, state: State, reading: Reading, *, now: datetime) -> tuple[State, list[Event]]:
    """The state afterwards, and what happened, in its order: at most that a problem is over, and that it tripped or cleared."""
    if reading.idle:
        return state, []
    reading = _checked(reading)
    if reading.problem is not None:
        return _fail(rule, state, reading, now)
    assert reading.value is not None  # noqa: S101  `_checked` makes anything else a problem
    events = []
    if reading.of:
        rule = replace(rule, subject=f"{rule.subject} of {reading.of}")
    if state.problem is not None:
        events.append(Event(Outcome.RECOVERED, None, f"{_is(rule, reading.value)} again"))
        state = replace(state, problem=None, problem_at=None, error="")
    is_new = (
        state.value_at is None
        or reading.at is None
        or reading.at > state.value_at
        or reading.value != state.value
    )
    state = replace(state, value=reading.value, value_at=reading.at)
    state, event = _judge(rule, state, reading.value, is_new=is_new, now=now)
    return state, [*events, event] if event else events


def _checked(reading: Reading) -> Reading:
    if reading.problem is not None:
        return reading
    if reading.value is None:
        return Reading(problem=Problem.ERROR, words="the reading has neither a value nor a reason")
    if not math.isfinite(reading.value):
        return Reading(problem=Problem.ERROR, words=f"the value is {reading.value}, which is no number")
    return reading


def _fail(rule: Rule, state: State, reading: Reading, now: datetime) -> tuple[State, list[Event]]:
    """Told once, until it is over or becomes another problem. What was confirmed or tripped stays so."""
    assert reading.problem is not None  # noqa: S101  the caller's
    error = reading.words[:LONGEST_ERROR]
    if state.condition == Condition.WAITING and reading.problem == Problem.MISSING:
        return replace(state, error=error), []
    if state.problem == reading.problem:
        return replace(state, error=error), []
    act = rule.on_error if reading.problem == Problem.ERROR else rule.on_missing
    failed = replace(state, problem=reading.problem, problem_at=now, error=error)
    return failed, [Event(Outcome.FAILED, act, f"{rule.subject}: {reading.words}")]


def _judge(
    rule: Rule, state: State, value: float, *, is_new: bool, now: datetime
) -> tuple[State, Event | None]:
    far = rule.second_threshold is not None and rule.reaches(value, rule.second_threshold)
    if state.condition == Condition.TRIPPED:
        return _judge_tripped(rule, state, value, far=far)
    if far:
        assert rule.second_threshold is not None  # noqa: S101  just seen
        return _trip(rule, state, value, rule.second_threshold, far=True, now=now)
    if not rule.reaches(value, rule.threshold):
        return replace(state, condition=Condition.CLEAR, confirmed=0, error=""), None
    # The same reading, looked at again, confirms nothing.
    confirmed = state.confirmed + is_new
    if confirmed < rule.confirmations:
        return replace(state, condition=Condition.CONFIRMING, confirmed=confirmed, error=""), None
    return _trip(rule, replace(state, confirmed=confirmed), value, rule.threshold, far=False, now=now)


def _judge_tripped(rule: Rule, state: State, value: float, *, far: bool) -> tuple[State, Event | None]:
    """It stays so until the value is clear. Only what is much worse is told again: trading may have been re-armed since."""
    if far and not state.far:
        assert rule.second_threshold is not None  # noqa: S101  else it were not far
        return replace(state, far=True), Event(
            Outcome.TRIPPED, rule.action, _reached(rule, value, rule.second_threshold)
        )
    if not rule.is_clear(value):
        return state, None
    cleared = replace(state, condition=Condition.CLEAR, confirmed=0, far=False, tripped_at=None, error="")
    return cleared, Event(Outcome.CLEARED, None, f"{_is(rule, value)}, which is clear")


def _trip(
    rule: Rule, state: State, value: float, threshold: float, *, far: bool, now: datetime
) -> tuple[State, Event]:
    tripped = replace(state, condition=Condition.TRIPPED, far=far, tripped_at=now, error="")
    return tripped, Event(Outcome.TRIPPED, rule.action, _reached(rule, value, threshold))


def _reached(rule: Rule, value: float, threshold: float) -> str:
    where = "at or above" if rule.comparison == Comparison.ABOVE else "at or below"
    return f"{_is(rule, value)}, {where} {_number(threshold)}"


def _is(rule: Rule, value: float) -> str:
    return f"{rule.subject} is {_number(value)}"


def _number(value: float) -> str:
    """`−5,234.56`, `12`, `0.0004`."""
    shown = f"{value:,.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.1 or value == 0 else f"{value:.3g}"
    return shown.replace("-", "−")
