"""The ways to call through a breaker: plain and async, decorated, in blocks."""

import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from opsclient.circuit_breaker import CircuitBreaker, CircuitConfig
from opsclient.errors import ConfigurationError

from tests.client.breaker_calls import counts, echo, echo_async, fail, fail_async


def made_async(*args: object) -> Any:
    """A function that a decorator has made of an async one looks like this."""
    return echo_async(*args)


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
