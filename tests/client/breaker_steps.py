"""Steps that anybody may take with a circuit breaker, taken with the real one and with its model at once."""

import asyncio
import math
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from opsclient.breaker.choices import CircuitState
from opsclient.breaker.guard import Guard
from opsclient.breaker.holds import Hold
from opsclient.breaker.permits import Event
from opsclient.breaker.steered import SteeredMachine
from opsclient.circuit_breaker import CircuitBreaker, CircuitBreakerOpenError, CircuitConfig, Transition

from tests.client.breaker_model import Call, Model

# All times are quarters of a second, and all windows of time 5, 10 or 20 seconds long: no page begins between two of them.
CONFIGS = st.builds(
    CircuitConfig,
    failure_threshold=st.sampled_from([None, None, 1, 3]),
    success_threshold=st.integers(1, 3),
    timeout_seconds=st.sampled_from([1, 4]),
    timeout_multiplier=st.sampled_from([1, 2]),
    max_timeout_seconds=st.sampled_from([None, 8]),
    window_type=st.sampled_from(["count", "time"]),
    window_size=st.sampled_from([5, 10, 20]),
    minimum_number_of_calls=st.sampled_from([1, 4]),
    failure_rate_threshold=st.sampled_from([None, 50, 90]),
    slow_call_rate_threshold=st.sampled_from([None, 40]),
    slow_call_duration_seconds=st.just(1),
    permitted_calls_in_half_open=st.sampled_from([None, 1, 2]),
    max_half_open_seconds=st.just(6),
    ignore_exceptions=st.just((LookupError,)),
)
WAITS = st.sampled_from([0.0, 0.0, 0.25, 0.5, 1.0, 1.25, 3.0, 10.0, 50.0])
ENDS = st.sampled_from(["good", "good", "bad", "bad", "ignored", "cancelled", "dropped"])
ERRORS: dict[str, BaseException] = {
    "bad": ValueError("no"),
    "ignored": KeyError("x"),
    "cancelled": asyncio.CancelledError(),
}


class BreakerSteps(RuleBasedStateMachine):
    """`taken`: how many steps, over all runs."""

    taken = 0

    @initialize(config=CONFIGS)
    def make(self, config: CircuitConfig) -> None:
        self.now = 1000.0
        self.breaker = CircuitBreaker("b", config, clock=lambda: self.now)
        self.model = Model(config, self.now)
        self.under_way: list[tuple[Guard, Call, float]] = []
        self.told: list[tuple[str, str, str]] = []
        self.breaker.add_listener(self._note)

    def _note(self, transition: Transition) -> None:
        self.told.append((str(transition.before), str(transition.after), str(transition.why)))

    @rule(seconds=WAITS)
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.model.now = self.now

    @rule()
    def begin(self) -> None:
        guard = self.breaker.guard()
        call = self.model.begin()
        if call is not None:
            guard.__enter__()
            self.under_way.append((guard, call, self.now))
            return
        with pytest.raises(CircuitBreakerOpenError) as rejected:
            guard.__enter__()
        assert rejected.value.retry_after == self._retry_after()

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), how=ENDS)
    def end(self, data: st.DataObject, how: str) -> None:
        place = data.draw(st.integers(0, len(self.under_way) - 1))
        guard, call, began = self.under_way.pop(place)
        if how == "dropped":
            self.model.drop(call)
            del guard
            return
        if how in ("ignored", "cancelled"):
            self.model.end_of_neither(call)
        else:
            self.model.end(call, self.now - began, failed=how == "bad")
        error = ERRORS.get(how)
        guard.__exit__(None if error is None else type(error), error, None)

    @rule(seconds=WAITS, how=st.sampled_from(["good", "good", "bad"]), times=st.integers(1, 6))
    def call(self, seconds: float, how: str, times: int) -> None:
        """Through `call_sync`, which takes the short way; several, so that windows fill up."""
        for _ in range(times):
            self._call(seconds, how)

    def _call(self, seconds: float, how: str) -> None:
        call = self.model.begin()

        def work() -> None:
            self.now += seconds
            if how == "bad":
                raise ValueError("no")

        raises = CircuitBreakerOpenError if call is None else ValueError if how == "bad" else None
        with nullcontext() if raises is None else pytest.raises(raises):
            self.breaker.call_sync(work)
        if call is None:
            return
        self.model.now = self.now
        self.model.end(call, seconds, failed=how == "bad")

    # One rule, so that most steps are calls.
    @rule(data=st.data(), what=st.sampled_from(["reset", "force", "release", "release", "retune"]))
    def operate(self, data: st.DataObject, what: str) -> None:
        if what == "reset":
            self.breaker.reset()
            self.model.reset()
        elif what == "force":
            state = data.draw(st.sampled_from(["OPEN", "CLOSED"]))
            self._force(state, data.draw(st.sampled_from([0.5, 4.0, math.inf])))
        elif what == "release":
            self.breaker.keeper.steer(lambda machine, now: machine.set_hold(None, now))
            self.model.release()
        else:
            self._retune(data.draw(CONFIGS))

    def _force(self, state: str, seconds: float) -> None:
        self._expire()
        hold = Hold(CircuitState(state), "sam", "why", self.now + seconds)
        self.breaker.keeper.steer(lambda machine, now: machine.set_hold(hold, now))
        self.model.force(state, self.now + seconds)

    def _retune(self, config: CircuitConfig) -> None:
        self._expire()

        def change(machine: SteeredMachine, now: float) -> list[Event]:
            machine.retune(config, now)
            return []

        self.breaker.keeper.steer(change)
        self.model.retune(config)

    def _expire(self) -> None:
        self.breaker.keeper.expire()
        self.model.end_of_hold()

    def _retry_after(self) -> float | None:
        if self.model.state != "OPEN":
            return 0.0
        left = self.model.until - self.now
        return None if left == math.inf else max(0.0, left)

    @invariant()
    def agree(self) -> None:
        type(self).taken += 1
        if not hasattr(self, "model"):
            return
        status: dict[str, Any] = self.breaker.get_status()
        model = self.model
        assert status["state"] == model.state
        assert status["counts"] == model.counts
        assert self.told == model.changes
        assert status["forced"] == (model.hold and model.hold[0])
        if model.state == "CLOSED":
            window = model.window()
            rates = self.breaker.keeper.machine.rates(self.now)
            assert rates is not None
            assert rates.calls == len(window)
            assert rates.failures == sum(one.failed for one in window)
            assert rates.slow == sum(one.slow for one in window)
