"""The ways to call through a breaker: plain and async, decorated, in blocks."""

import asyncio
import inspect
import logging
import pickle
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from opsclient.breaker import calls as calls_module
from opsclient.circuit_breaker import (
    CallDeadlineExceeded,
    CircuitBreaker,
    CircuitBreakerOpenError,
    CircuitConfig,
    Transition,
)
from opsclient.errors import ConfigurationError

from tests.client.breaker_clock import Timed

ANYTHING = {"a": 1}


def counts(breaker: CircuitBreaker) -> tuple[int, int, int]:
    """Successes, failures, ignored."""
    found = breaker.get_status()["counts"]
    return found["success"], found["failure"], found["ignored"]


def opened(**fields: Any) -> CircuitBreaker:
    breaker = CircuitBreaker("b", CircuitConfig(failure_threshold=1, **fields))
    with pytest.raises(ValueError, match="no"):
        breaker.call_sync(fail)
    return breaker


def half_open(**fields: Any) -> CircuitBreaker:
    """The next call is a probe."""
    breaker = opened(timeout_seconds=1e-9, **fields)
    assert breaker.state == "OPEN"
    return breaker


def fail(*_args: object) -> Any:
    raise ValueError("no")


def echo(*args: object, **kwargs: object) -> tuple[object, object]:
    return args, kwargs


async def echo_async(*args: object, **kwargs: object) -> tuple[object, object]:
    await asyncio.sleep(0)
    return args, kwargs


def made_async(*args: object) -> Any:
    """A function that a decorator has made of an async one looks like this."""
    return echo_async(*args)


async def fail_async() -> None:
    await asyncio.sleep(0)
    raise ValueError("no")


class Service:
    def fetch(self, ticker: str) -> str:
        return ticker

    async def __call__(self, ticker: str) -> str:
        return ticker


@pytest.mark.parametrize("what", [7, classmethod(echo), None])
def test_what_cannot_be_called_cannot_be_guarded(what: Any) -> None:
    with pytest.raises(ConfigurationError, match="guards functions"):
        CircuitBreaker("b")(what)


def test_options_that_cannot_be_are_refused_by_name() -> None:
    breaker = CircuitBreaker("b")
    with pytest.raises(ConfigurationError, match="deadline_seconds"):
        breaker.using(deadline_seconds=0)
    with pytest.raises(ConfigurationError, match="fallback"):
        CircuitBreaker("b", fallback=7)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ConfigurationError, match="config"):
        CircuitBreaker("b", {"failure_threshold": 5})  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="listener"):
        breaker.add_listener(fail_async)  # type: ignore[arg-type]


def test_arguments_of_any_name_reach_the_function() -> None:
    breaker = CircuitBreaker("b")
    assert breaker.call_sync(echo, 1, function=2, self=3) == ((1,), {"function": 2, "self": 3})
    assert breaker(echo)(1, self=3) == ((1,), {"self": 3})
    assert asyncio.run(breaker.call(echo_async, 1, function=2)) == ((1,), {"function": 2})
    assert counts(breaker) == (3, 0, 0)


@pytest.mark.parametrize(
    "function",
    [echo_async, partial(echo_async, 1), made_async, Service(), echo],
)
def test_async_and_plain_functions_are_told_apart(function: Callable[..., Any]) -> None:
    breaker = CircuitBreaker("b")
    asyncio.run(breaker.call(function, "AAPL"))
    assert counts(breaker) == (1, 0, 0)

    async def use() -> None:
        result = breaker(function)("AAPL")
        await result if inspect.isawaitable(result) else None

    asyncio.run(use())
    assert counts(breaker) == (2, 0, 0)
    wants = inspect.iscoroutinefunction(function) or isinstance(function, Service)
    assert inspect.iscoroutinefunction(breaker(function)) == wants


def test_a_coroutine_is_counted_when_it_has_been_awaited() -> None:
    breaker = CircuitBreaker("b", CircuitConfig(failure_threshold=2))

    @breaker
    def plain() -> Any:
        return fail_async()

    async def use() -> None:
        for made in (plain(), breaker.call_sync(fail_async)):
            with pytest.raises(ValueError, match="no"):
                await made

    asyncio.run(use())
    assert breaker.state == "OPEN"
    assert counts(breaker) == (0, 2, 0)


def test_a_decorated_function_looks_like_itself_and_works_as_a_method() -> None:
    breaker = CircuitBreaker("b")

    class Desk:
        @breaker
        def price(self, ticker: str) -> str:
            """Of a share."""
            return ticker

        @staticmethod
        @breaker
        def name() -> str:
            return "desk"

    assert Desk().price("AAPL") == "AAPL"
    assert Desk.name() == "desk"
    assert Desk.price.__doc__ == "Of a share."
    assert counts(breaker) == (2, 0, 0)


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


def test_cancelling_a_task_gives_its_permit_back() -> None:
    breaker = half_open(success_threshold=1)

    async def use() -> None:
        task = asyncio.create_task(breaker.call(asyncio.sleep, 20))
        await asyncio.sleep(0)
        assert breaker.state == "HALF_OPEN"
        with pytest.raises(CircuitBreakerOpenError):
            await breaker.call(echo_async)
        task.cancel()
        await asyncio.wait([task])
        await breaker.call(echo_async)

    asyncio.run(use())
    assert breaker.state == "CLOSED"


def test_at_the_half_open_moment_exactly_the_permits_are_let_in_of_50_tasks() -> None:
    breaker = half_open(success_threshold=3)
    entered = 0

    async def probe() -> None:
        nonlocal entered
        entered += 1
        await asyncio.sleep(0.01)

    async def use() -> list[Any]:
        tasks = [breaker.call(probe) for _ in range(50)]
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = asyncio.run(use())
    assert entered == 3
    assert sum(isinstance(result, CircuitBreakerOpenError) for result in results) == 47
    assert breaker.state == "CLOSED"


def test_at_the_half_open_moment_exactly_the_permits_are_let_in_of_20_threads() -> None:
    breaker = half_open(success_threshold=2)
    inside: list[int] = []
    all_tried = threading.Barrier(20)
    ready = threading.Barrier(20)

    def probe() -> None:
        inside.append(1)
        all_tried.wait(20)

    def work() -> None:
        ready.wait(20)
        try:
            breaker.call_sync(probe)
        except CircuitBreakerOpenError:
            all_tried.wait(20)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(inside) == 2
    assert breaker.state == "CLOSED"


def test_every_call_of_many_threads_is_counted() -> None:
    breaker = CircuitBreaker("b", CircuitConfig(failure_threshold=1_000_000))

    def work() -> None:
        for _ in range(1000):
            breaker.call_sync(echo)
            with pytest.raises(ValueError, match="no"):
                breaker.call_sync(fail)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert counts(breaker) == (8000, 8000, 0)


def test_nothing_is_locked_while_the_call_runs() -> None:
    breaker = CircuitBreaker("b")
    both = threading.Barrier(2)
    threads = [threading.Thread(target=breaker.call_sync, args=(both.wait, 20)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not both.broken
    assert counts(breaker) == (2, 0, 0)


def test_blocks_count_as_calls_also_nested_and_in_tasks() -> None:
    breaker, other = CircuitBreaker("b", CircuitConfig(failure_threshold=2)), CircuitBreaker("c")
    with breaker, other, breaker:
        pass
    with pytest.raises(ValueError, match="no"), breaker.guard():
        fail()

    async def block(error: bool) -> None:
        async with breaker:
            await asyncio.sleep(0)
            if error:
                fail()

    async def use() -> None:
        await asyncio.gather(*(block(error=False) for _ in range(5)))
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                await block(error=True)

    asyncio.run(use())
    assert breaker.state == "OPEN"
    assert counts(breaker) == (7, 3, 0)
    assert counts(other) == (1, 0, 0)


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
    """No module of it reads one, but for the time that is shown with a rejection."""
    source = inspect.getsource(calls_module)
    assert "time.time" not in source
    b = Timed(failure_threshold=1, timeout_seconds=10)
    b.bad()
    b.now += 10
    b.good(2)
    assert b.state == "CLOSED"
