"""What a call comes to: rejected, a failure or a success, and who hears of it."""

import asyncio
import inspect
import logging
import pickle
import pkgutil
import re
from collections.abc import Callable
from importlib import import_module

import pytest
from opsclient import breaker as breaker_package
from opsclient.circuit_breaker import (
    CallDeadlineExceeded,
    CircuitBreaker,
    CircuitBreakerOpenError,
    CircuitConfig,
    Transition,
)

from tests.client.breaker_calls import counts, echo, fail, opened
from tests.client.breaker_clock import Timed


def test_rejected_without_a_call() -> None:
    breaker = opened()
    called: list[int] = []
    with pytest.raises(CircuitBreakerOpenError) as caught:
        breaker.call_sync(called.append, 1)
    with pytest.raises(CircuitBreakerOpenError):
        breaker(called.append)(1)
    with pytest.raises(CircuitBreakerOpenError):
        asyncio.run(breaker.call(echo, 1))
    with pytest.raises(CircuitBreakerOpenError), breaker:
        called.append(1)
    assert called == []
    error = pickle.loads(pickle.dumps(caught.value))
    assert error.name == "b"
    assert error.last_cause.type == "ValueError"
    assert 0 < error.retry_after <= 60
    assert error.since.tzinfo is not None
    assert "retry after" in str(error)


def test_the_traceback_of_a_rejection_does_not_grow() -> None:
    breaker = opened()

    def depth() -> int:
        with pytest.raises(CircuitBreakerOpenError) as rejected:
            breaker.call_sync(echo)
        assert rejected.value.__cause__ is rejected.value.__context__ is None
        return len(rejected.traceback)

    assert len({depth() for _ in range(50)}) == 1


def test_secrets_in_the_cause_are_hidden() -> None:
    breaker = CircuitBreaker("b", CircuitConfig(failure_threshold=1))
    secret = "https://desk:hunter22@api.example/v1?api_key=abcdef123456 Bearer eyJhbGciOi.x"
    with pytest.raises(OSError, match="hunter22"):
        breaker.call_sync(lambda: (_ for _ in ()).throw(OSError(secret)).__next__())
    text = str(breaker.get_status()["last_failure"]["text"])
    assert text == "https://[secret]@api.example/v1?api_key=[secret] Bearer [secret]"


def test_the_fallback_takes_the_place_of_what_is_rejected_alone() -> None:
    breaker = CircuitBreaker("b", CircuitConfig(failure_threshold=1), fallback=lambda ticker: f"old {ticker}")
    with pytest.raises(ValueError, match="no"):
        breaker.call_sync(fail, "AAPL")
    assert breaker.call_sync(str, "AAPL") == "old AAPL"
    assert asyncio.run(breaker.call(str, "AAPL")) == "old AAPL"

    async def other(ticker: str) -> str:
        return f"other {ticker}"

    assert asyncio.run(breaker.using(fallback=other).call(str, "IBM")) == "other IBM"


def test_a_result_can_be_a_failure() -> None:
    breaker = CircuitBreaker(
        "b", CircuitConfig(failure_threshold=2, record_result=lambda status: status >= 500)
    )
    assert breaker.call_sync(int, 503) == 503
    assert breaker(int)(200) == 200
    assert asyncio.run(breaker.call(int, 500)) == 500
    assert counts(breaker) == (1, 2, 0)


def test_a_rule_that_fails_is_logged_and_does_not_break_the_call(caplog: pytest.LogCaptureFixture) -> None:
    breaker = CircuitBreaker(
        "b", CircuitConfig(record_result=fail, ignore_exceptions=(lambda error: bool(fail(error)),))
    )
    assert breaker.call_sync(int, 7) == 7
    with pytest.raises(ZeroDivisionError):
        breaker.call_sync(lambda: 1 / 0)
    assert counts(breaker) == (1, 1, 0)
    assert "record_result failed" in caplog.text
    assert "a rule for exceptions failed" in caplog.text


def test_its_own_deadline_is_a_failure_and_a_foreign_cancellation_is_nothing() -> None:
    breaker = CircuitBreaker("b", CircuitConfig(failure_threshold=3, deadline_seconds=0.01))

    async def use() -> None:
        with pytest.raises(CallDeadlineExceeded, match=r"took longer than 0\.01 s"):
            await breaker.call(asyncio.sleep, 20)
        with pytest.raises(CallDeadlineExceeded):
            async with breaker.guard():
                await asyncio.sleep(20)
        quick = breaker.using(deadline_seconds=20)
        with pytest.raises(TimeoutError) as foreign:
            async with asyncio.timeout(0.01):
                await quick.call(asyncio.sleep, 20)
        assert not isinstance(foreign.value, CallDeadlineExceeded)
        with pytest.raises(TimeoutError):  # the service's own
            await quick.call(asyncio.wait_for, asyncio.sleep(20), 0.01)

    asyncio.run(use())
    assert counts(breaker) == (0, 3, 1)
    assert breaker.state == "OPEN"
    assert breaker.get_status()["last_failure"]["type"] == "TimeoutError"


def test_a_plain_call_past_the_deadline_is_a_failure_with_a_result() -> None:
    b = Timed(failure_threshold=1, deadline_seconds=5)
    b.good(seconds=5)
    b.good(seconds=6)
    assert b.state == "OPEN"


def test_a_success_from_before_a_change_counts_in_no_window_whichever_way_it_was_called() -> None:
    breaker = CircuitBreaker("b")

    async def reset() -> None:
        breaker.reset()

    def block() -> None:
        with breaker:
            breaker.reset()

    ways: list[Callable[[], object]] = [
        lambda: breaker.call_sync(breaker.reset),
        breaker(breaker.reset),
        lambda: asyncio.run(breaker.call(reset)),
        lambda: asyncio.run(breaker(reset)()),
        block,
    ]
    for number, way in enumerate(ways, 1):
        way()
        status = breaker.get_status()
        assert (status["counts"]["success"], status["window"]["calls"]) == (number, 0)


def test_the_rejection_by_another_breaker_says_nothing() -> None:
    outer, inner = CircuitBreaker("outer", CircuitConfig(failure_threshold=1)), opened()
    with pytest.raises(CircuitBreakerOpenError):
        outer.call_sync(inner.call_sync, echo)
    assert (outer.state, counts(outer)) == ("CLOSED", (0, 0, 1))


def test_listeners_are_told_after_the_change_and_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    breaker = CircuitBreaker("b", CircuitConfig(failure_threshold=1))
    told: list[tuple[Transition, str]] = []
    breaker.add_listener(fail)
    breaker.add_listener(lambda transition: told.append((transition, breaker.state)))
    caplog.set_level(logging.INFO, "opsclient")
    with pytest.raises(ValueError, match="no"):
        breaker.call_sync(fail)
    ((transition, state),) = told
    assert (transition.before, transition.after, transition.why) == ("CLOSED", "OPEN", "failure_threshold")
    assert (state, str(transition.cause), transition.counts["failure"]) == ("OPEN", "ValueError: no", 1)
    assert transition.open_s == pytest.approx(60, abs=1)
    assert "circuit breaker b is open for 60.0 s (failure_threshold): ValueError: no" in caplog.text
    assert "a listener of the circuit breaker b failed" in caplog.text


def test_the_wall_clock_decides_nothing() -> None:
    """One module reads one, for the time that is shown with a rejection."""
    names = [module.name for module in pkgutil.iter_modules(breaker_package.__path__)]
    sources = {name: inspect.getsource(import_module(f"opsclient.breaker.{name}")) for name in names}
    reading = re.compile(r"\bdatetime\b|\btime\(\)|\btime\.time\b")
    assert {name for name, source in sources.items() if reading.search(source)} == {"errors"}
