"""What keeps a breaker's state machine: the lock, the clock and the listeners; everything but the ways to call. For this package alone."""

import inspect
import logging
import math
import random
import threading
from collections.abc import Callable
from typing import Any, Protocol

from opsclient import clock, fork
from opsclient.breaker.choices import CircuitState, Why
from opsclient.breaker.config import CircuitConfig
from opsclient.breaker.errors import CallDeadlineExceeded, Cause, CircuitBreakerOpenError, Opening, cause_of
from opsclient.breaker.holds import Hold
from opsclient.breaker.permits import AskToProbe, Change, Event, Permit
from opsclient.breaker.steered import SteeredMachine
from opsclient.breaker.transition import Transition
from opsclient.errors import ConfigurationError

logger = logging.getLogger("opsclient")

Listener = Callable[[Transition], object]


class Sink(Protocol):
    """Where a breaker's news go: the link to the console. Both are called with the breaker's lock held, and must not wait."""

    def note(self, transition: Transition) -> None:
        """A change, in the order in which they happen."""

    def ask(self, breaker: "Keeper", generation: int) -> None:
        """It would try for all, if the console lets it."""


class Keeper:
    """Of one breaker."""

    def __init__(
        self,
        name: str,
        config: CircuitConfig,
        steady: Callable[[], float],
    ) -> None:
        self.name, self.own_config = name, config
        self.clock = steady
        self.machine = SteeredMachine(config, now=steady(), draw=_draw)
        self._listeners: tuple[Listener, ...] = ()
        self._sink: Sink | None = None
        self._assemble()
        fork.follow(self)

    def _assemble(self) -> None:
        # Reentrant: a signal handler may make a guarded call while this thread holds it.
        self._lock = threading.RLock()
        self._changed_at = self._failed_at = clock.now()

    def listen(self, listener: Listener) -> None:
        """Call it after each change, in the thread that caused the change. Raises ConfigurationError."""
        if not callable(listener) or inspect.iscoroutinefunction(listener):
            raise ConfigurationError(
                f"listener must be a plain function of a Transition, not {listener!r:.80}"
            )
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def report(self) -> dict[str, Any]:
        """How it stands, as the console has it."""
        status = self.status()
        del status["retry_after_s"]
        return status

    def expire(self) -> Hold | None:
        """End what has had its time; the hold that is left."""
        self.steer(lambda machine, now: machine.expire(now))
        return self.machine.hold

    def hold_back(self, seconds: float) -> None:
        """Do not ask again for so long whether this process may try for all."""
        with self._lock:
            self.machine.refuse(self.clock(), seconds)

    def status(self) -> dict[str, Any]:
        """As CircuitBreaker.get_status."""
        with self._lock:
            now = self.clock()
            machine = self.machine
            failure, shut = machine.last_failure, machine.way.shut
            return {
                "name": self.name,
                "state": machine.state,
                "forced": machine.forced,
                "state_s": round(max(0.0, clock.now() - self._changed_at), 3),
                "retry_after_s": None
                if shut is None or shut.until == math.inf
                else round(max(0.0, shut.until - now), 3),
                "generation": machine.generation,
                "counts": machine.totals.as_dict(),
                "window": self._window(now),
                "last_failure": failure
                and {**failure.as_dict(), "ago_s": round(max(0.0, clock.now() - self._failed_at), 3)},
                "config": machine.config.as_dict(),
                "own_config": self.own_config.as_dict(),
            }

    def attach(self, sink: Sink | None) -> None:
        """Tell this one of everything from now on."""
        with self._lock:
            self._sink = sink

    def steer(self, change: Callable[[SteeredMachine, float], list[Event]]) -> None:
        """Let somebody's word take effect: `change(machine, now)`."""
        with self._lock:
            told = self._note(change(self.machine, self.clock()))
        self._tell(told)

    # For the calls

    def turn_away(self) -> None:
        """Raise CircuitBreakerOpenError if there is nothing to decide: it is open, and its time is not over. No lock."""
        shut = self.machine.way.shut
        if shut is not None:
            now = self.clock()
            if now < shut.until:
                next(self.machine.totals.rejected.source)
                raise CircuitBreakerOpenError(self.name, shut, now)

    def enter(self) -> Permit:
        """A permit. Raises CircuitBreakerOpenError."""
        self.turn_away()
        machine = self.machine
        now = self.clock()
        with self._lock:
            permit, events = machine.admit(now)
            told = self._note(events)
        self._tell(told)
        if permit is None:
            raise CircuitBreakerOpenError(self.name, machine.way.shut or _trying(machine.opening, now), now)
        return permit

    def succeeded(self, permit: Permit, seconds: float) -> None:
        """A call has ended, and its result is no failure."""
        with self._lock:
            told = self._note(self.machine.success(permit, self.clock(), seconds))
        self._tell(told)

    def failed(self, permit: Permit, seconds: float, cause: Cause) -> None:
        """A call has failed."""
        with self._lock:
            self._failed_at = clock.now()
            told = self._note(self.machine.failure(permit, self.clock(), seconds, cause))
        self._tell(told)

    def gave_up(self, permit: Permit) -> None:
        """A call has ended in a way that says nothing of the service."""
        with self._lock:
            self.machine.neither(permit)

    def raised(self, permit: Permit, error: BaseException, seconds: float) -> None:
        """A call has ended with this exception."""
        counts = self._counts(error)
        if counts:
            self.failed(permit, seconds, cause_of(error))
        elif counts is None:
            self.gave_up(permit)
        else:
            self.succeeded(permit, seconds)

    def returned(self, permit: Permit, result: object, seconds: float, deadline: float | None) -> None:
        """A call has ended with this result."""
        if self._is_failure(result):
            kind = type(result).__name__
            self.failed(permit, seconds, Cause("Result", f"record_result counts this {kind} as a failure"))
        else:
            self.completed(permit, seconds, deadline)

    def completed(self, permit: Permit, seconds: float, deadline: float | None) -> None:
        """A call has come to its end, and there is no result to look at."""
        if deadline is not None and seconds > deadline:
            self.failed(permit, seconds, cause_of(CallDeadlineExceeded(self.name, deadline)))
        else:
            self.succeeded(permit, seconds)

    def _counts(self, error: BaseException) -> bool | None:
        if isinstance(error, CallDeadlineExceeded) and error.name == self.name:
            return True
        try:
            return self.machine.config.counts(error)
        except Exception:
            logger.exception("circuit breaker %s: a rule for exceptions failed", self.name)
            return True

    def _is_failure(self, result: object) -> bool:
        judge = self.machine.config.record_result
        try:
            return judge is not None and bool(judge(result))
        except Exception:
            logger.exception("circuit breaker %s: record_result failed", self.name)
            return False

    # Changes

    def _note(self, events: list[Event]) -> list[Transition]:
        """Hand events on in their order; with the lock held."""
        told = []
        for event in events:
            if isinstance(event, AskToProbe):
                if self._sink is not None:
                    self._sink.ask(self, event.generation)
            else:
                told.append(self._transition(event))
        return told

    def _transition(self, change: Change) -> Transition:
        at = clock.now()
        opening = change.opening
        open_s = None if opening is None else opening.until - self.clock()
        transition = Transition(
            self.name,
            change.before,
            change.after,
            change.why,
            at,
            max(0.0, at - self._changed_at),
            change.cause,
            None if open_s is None or open_s == math.inf else max(0.0, open_s),
            self.machine.totals.as_dict(),
        )
        self._changed_at = at
        if self._sink is not None:
            self._sink.note(transition)
        return transition

    def _tell(self, transitions: list[Transition]) -> None:
        """The log and the listeners; without the lock."""
        for transition in transitions:
            _log(transition)
            for listener in self._listeners:
                try:
                    listener(transition)
                except Exception:
                    logger.exception("a listener of the circuit breaker %s failed", self.name)

    def _window(self, now: float) -> dict[str, Any]:
        rates = self.machine.rates(now)
        if rates is None:
            return {"calls": 0, "failure_rate": None, "slow_rate": None}
        least = self.machine.config.minimum_number_of_calls
        return {
            "calls": rates.calls,
            "failure_rate": rates.percent(rates.failures, least),
            "slow_rate": rates.percent(rates.slow, least),
        }

    def restart_in_child(self) -> None:
        """After a fork, in the child: what is open or held stays so; counts, probes and the lock are the parent's."""
        self.machine.restart(self.clock())
        self._assemble()


def _trying(last: Opening | None, now: float) -> Opening:
    """What a rejected call is told while others try: HALF_OPEN since the last opening, and perhaps over at any moment."""
    if last is None:
        return Opening(now, now, trying=True)
    return Opening(last.opened_at, now, last.cause, trying=True)


def _draw() -> float:
    return random.uniform(-1, 1)  # noqa: S311  # jitter, no secret


def _log(transition: Transition) -> None:
    name, why = transition.breaker, transition.why
    if transition.after is CircuitState.OPEN:
        lasts = "until it is released" if transition.open_s is None else f"for {transition.open_s:.1f} s"
        cause = "" if transition.cause is None else f": {transition.cause}"
        logger.warning("circuit breaker %s is open %s (%s)%s", name, lasts, why, cause)
    elif transition.after is CircuitState.CLOSED:
        logger.warning("circuit breaker %s is closed again (%s)", name, why)
    elif why is not Why.TIMEOUT_OVER:
        logger.info("circuit breaker %s is half-open (%s)", name, why)
    else:
        logger.info("circuit breaker %s tries whether the service works again", name)
