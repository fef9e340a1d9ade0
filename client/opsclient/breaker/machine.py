"""The state machine of a circuit breaker. Pure: no clock, no lock and no I/O of its own; every time is an argument.

Not for two threads at a time, but for two things: `way` may be read, and the counters ticked, by anybody at any moment.
What may change the state returns what has happened.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from opsclient.breaker.choices import CircuitState, Why
from opsclient.breaker.config import CircuitConfig
from opsclient.breaker.errors import Cause, Opening
from opsclient.breaker.permits import Change, Event, Permit, Probe, Term, Totals, Way
from opsclient.breaker.window import CountWindow, Rates, window_for

CLOSED, OPEN, HALF_OPEN = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN
NEVER = -math.inf


class Machine:
    """A breaker's own judgement. `draw` gives numbers from −1 to 1, for the jitter."""

    def __init__(self, config: CircuitConfig, *, now: float, draw: Callable[[], float]) -> None:
        self.config = config
        self.totals = Totals()
        self.state = CLOSED
        self.generation = 0
        self.openings = 0  # in a row, without a success that closed it
        self.opening: Opening | None = None  # the latest
        self.last_failure: Cause | None = None
        self.term: Term | None = None
        self.way = Way()
        self._draw = draw
        self._drawn = 0.0
        self._numbers = count()
        self._out: dict[int, float] = {}  # the probes under way, and when they began
        self._abandoned: deque[int] = deque()
        self._good = 0
        self._streak = 0
        self._streak_mark = -1
        self._begin_term(now)

    def restart(self, now: float) -> None:
        """Begin anew, with counts of nothing. The state stays, but for the probes that are under way."""
        state, opening = self.state, self.opening
        self.totals = Totals()
        self._out, self._abandoned = {}, deque()
        self.last_failure = None
        self.state, self.way.shut = CLOSED, None
        self.generation += 1
        self._begin_term(now)
        if state is OPEN and opening is not None:
            self._shut(opening, Why.SHARED, [])
        elif state is HALF_OPEN:
            self._half_open(now, Why.SHARED, [])

    # Calls

    def admit(self, now: float) -> tuple[Permit | None, list[Event]]:
        """A permit for one call, or None: it is rejected."""
        events = self.expire(now)
        if self.state is OPEN and now >= self._until and self._may_try(now, events):
            self._half_open(now, Why.TIMEOUT_OVER, events)
        if self.term is not None:
            return self.term, events
        if self.state is HALF_OPEN:
            self._take_back()
            if len(self._out) < self._permits:
                probe = Probe(self.generation, next(self._numbers), self._abandoned)
                self._out[probe.number] = now
                return probe, events
            self._look_for_hanging(now, events)
        next(self.totals.rejected.source)
        return None, events

    def success(self, permit: Permit, now: float, seconds: float) -> list[Event]:
        """A call has ended well, after so many seconds."""
        slow = seconds > self.config.slow_after
        self.totals.slow += slow
        events = self.expire(now)
        if permit is self.term:
            term = self._turn(now)
            next(term.successes)
            if slow:
                term.window.add(now, failed=False, slow=True)
                self._judge(now, None, events)
            return events
        next(self.totals.successes.source)
        if self._is_awaited(permit):
            self._probe_succeeded(now, seconds, events)
        elif self.term is not None:  # from before; it says nothing of now
            self.term.window.pass_over()
            self._streak_mark += 1
        return events

    def _probe_succeeded(self, now: float, seconds: float, events: list[Event]) -> None:
        if self.config.slow_call_rate_threshold is not None and seconds > self.config.slow_after:
            text = f"a call to try it took {seconds:.3g} s"
            self._open(now, Why.PROBE_FAILED, Cause("SlowCall", text), events)
            return
        self._good += 1
        if self._good >= self.config.success_threshold:
            self._close(now, Why.PROBES_SUCCEEDED, events)

    def failure(self, permit: Permit, now: float, seconds: float, cause: Cause) -> list[Event]:
        """A call has failed, after so many seconds."""
        slow = seconds > self.config.slow_after
        self.totals.failures += 1
        self.totals.slow += slow
        self.last_failure = cause
        events = self.expire(now)
        if permit is self.term:
            term = self._turn(now)
            mark = self.totals.successes.value
            self._streak = self._streak + 1 if mark == self._streak_mark else 1
            self._streak_mark = mark
            term.window.add(now, failed=True, slow=slow)
            self._judge(now, cause, events)
        elif self._is_awaited(permit):
            self._open(now, Why.PROBE_FAILED, cause, events)
        return events

    def neither(self, permit: Permit) -> None:
        """A call has ended in a way that says nothing of the service."""
        self.totals.ignored += 1
        self._is_awaited(permit)

    def expire(self, now: float) -> list[Event]:
        """End what has had its time."""
        return []

    def rates(self, now: float) -> Rates | None:
        """Of the window; None unless CLOSED."""
        if self.term is None:
            return None
        self._turn(now)
        return self.term.window.rates(now)

    # Operators

    def reset(self, now: float) -> list[Event]:
        """Close it, and forget what was."""
        events: list[Event] = []
        self._close(now, Why.RESET, events)
        return events

    def retune(self, config: CircuitConfig, now: float) -> None:
        """Other settings, from now on. What it knows and in which state it is stays, but for a window of another kind."""
        self.config = config
        if self.term is not None:
            self._refit(self.term, config, now)
            self._show(self.term)
        elif self.state is OPEN and self.opening is not None and self._is_own_opening:
            seconds = config.open_seconds(max(1, self.openings), self._drawn)
            self._reject_until(self.opening.opened_at + seconds)

    def _refit(self, term: Term, config: CircuitConfig, now: float) -> None:
        window, wanted = term.window, window_for(config, self.totals.successes, now)
        if isinstance(window, CountWindow) and isinstance(wanted, CountWindow):
            window.resize(config.window_size)
        elif type(window) is not type(wanted) or window.size != wanted.size:
            term.window = wanted

    @property
    def _until(self) -> float:
        return NEVER if self.way.shut is None else self.way.shut.until

    # What a console may say otherwise

    @property
    def _is_own_opening(self) -> bool:
        return True

    @property
    def _permits(self) -> int:
        return self.config.permits

    @property
    def _may_trip(self) -> bool:
        return True

    @property
    def _look_at(self) -> float:
        """When the next success must be looked at, whatever the window says."""
        return math.inf

    def _may_try(self, now: float, events: list[Event]) -> bool:
        return True

    def _turn(self, now: float) -> Term:
        term = self.term
        assert term is not None  # noqa: S101  # asked only in CLOSED
        term.window.turn(now)
        term.turn_at = min(term.window.turn_at, self._look_at)
        return term

    def _judge(self, now: float, failed: Cause | None, events: list[Event]) -> None:
        """Open if a rule is met. Called when a call has failed, or was slow."""
        config, term = self.config, self.term
        if term is None or not self._may_trip:
            return
        if failed is not None and config.failure_threshold and self._streak >= config.failure_threshold:
            self._open(now, Why.FAILURE_THRESHOLD, failed, events)
            return
        if config.failure_rate_threshold is None and config.slow_call_rate_threshold is None:
            return
        rates = term.window.rates(now)
        least = config.minimum_number_of_calls
        rate = rates.percent(rates.slow, least)
        if _meets(rates.percent(rates.failures, least), config.failure_rate_threshold):
            self._open(now, Why.FAILURE_RATE, failed, events)
        elif rate is not None and _meets(rate, config.slow_call_rate_threshold):
            text = f"{rate:.3g} % of {rates.calls} calls took longer than {config.slow_after:g} s"
            self._open(now, Why.SLOW_RATE, Cause("SlowCalls", text), events)

    def _is_awaited(self, permit: Permit) -> bool:
        """Whether it is a probe of now. Gives it back."""
        if not isinstance(permit, Probe) or permit.over:
            return False
        permit.over = True
        return self._out.pop(permit.number, None) is not None

    def _take_back(self) -> None:
        while self._abandoned:
            if self._out.pop(self._abandoned.popleft(), None) is not None:
                self.totals.ignored += 1

    def _look_for_hanging(self, now: float, events: list[Event]) -> None:
        longest = self.config.max_half_open_seconds
        if now - min(self._out.values()) >= longest:
            cause = Cause("TimeoutError", f"a call to try it has not ended within {longest:g} s")
            self._open(now, Why.PROBE_FAILED, cause, events)

    # From state to state

    def _move(self, state: CircuitState, why: Why, events: list[Event], cause: Cause | None = None) -> None:
        before, self.state = self.state, state
        self.generation += 1
        self._out.clear()
        self._good = 0
        if before is not state:
            opening = self.opening if state is OPEN else None
            events.append(Change(before, state, why, cause, opening))

    def _open(self, now: float, why: Why, cause: Cause | None, events: list[Event]) -> None:
        self.openings += 1
        self._drawn = self._draw()
        until = now + self.config.open_seconds(self.openings, self._drawn)
        self._shut(Opening(now, until, cause), why, events)

    def _shut(self, opening: Opening, why: Why, events: list[Event]) -> None:
        self.term = self.way.term = None
        self.opening = self.way.shut = opening
        self._move(OPEN, why, events, opening.cause)

    def _reject_until(self, until: float) -> None:
        opening = self.opening
        if opening is not None:
            self.opening = self.way.shut = replace(opening, until=until)

    def _half_open(self, now: float, why: Why, events: list[Event]) -> None:
        self.term = self.way.term = self.way.shut = None
        self._move(HALF_OPEN, why, events)

    def _close(self, now: float, why: Why, events: list[Event]) -> None:
        self.way.shut = None
        self.openings = 0
        self._move(CLOSED, why, events)
        self._begin_term(now)

    def _begin_term(self, now: float) -> None:
        self._streak, self._streak_mark = 0, -1
        window = window_for(self.config, self.totals.successes, now)
        self.term = Term(self.generation, window, self.totals.successes)
        self._show(self.term)

    def _show(self, term: Term) -> None:
        """Let calls pass quickly, if the settings allow it."""
        term.slow_after = self.config.slow_after
        term.turn_at = min(term.window.turn_at, self._look_at)
        is_plain = self.config.record_result is None and self.config.deadline_seconds is None
        self.way.term = term if is_plain else None


def _meets(rate: float | None, threshold: float | None) -> bool:
    return rate is not None and threshold is not None and rate >= threshold
