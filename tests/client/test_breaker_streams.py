"""What goes on after the call has returned: generators, async generators, context managers. They are guarded to their end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from opsclient.circuit_breaker import CallDeadlineExceeded, CircuitBreakerOpenError, CircuitConfig

from tests.client.breaker_clock import Timed


def numbers(b: Timed, *, fails: bool = False) -> Generator[int, None, None]:
    for number in range(3):
        b.now += 1
        yield number
    if fails:
        raise ValueError("no")


async def numbers_async(b: Timed, *, fails: bool = False) -> AsyncGenerator[int, None]:
    for number in numbers(b, fails=fails):
        yield number


def outcome(b: Timed) -> tuple[int, int, int, int]:
    """Successes, failures, slow, ignored."""
    found = b.counts
    return found["success"], found["failure"], found["slow"], found["ignored"]


def half_open(**fields: Any) -> Timed:
    b = Timed(failure_threshold=1, success_threshold=1, timeout_seconds=10, **fields)
    b.bad()
    b.now += 10
    return b


def test_a_generator_counts_once_when_it_is_exhausted() -> None:
    b = Timed(slow_call_duration_seconds=3)
    stream = b.breaker(numbers)(b)
    assert [next(stream), next(stream)] == [0, 1]
    assert outcome(b) == (0, 0, 0, 0)
    b.now += 1000  # its consumer's own time
    assert list(stream) == [2]
    assert outcome(b) == (1, 0, 0, 0)
    assert list(b.breaker.call_sync(numbers, b)) == [0, 1, 2]
    assert outcome(b) == (2, 0, 0, 0)


def test_a_generator_that_is_slow_to_give_is_slow() -> None:
    b = Timed(slow_call_duration_seconds=2)
    assert list(b.breaker(numbers)(b)) == [0, 1, 2]
    assert outcome(b) == (1, 0, 1, 0)


def test_a_generator_that_fails_is_a_failure() -> None:
    b = Timed()
    with pytest.raises(ValueError, match="no"):
        list(b.breaker(numbers)(b, fails=True))
    assert outcome(b) == (0, 1, 0, 0)


def test_a_generator_holds_its_permit_until_it_is_closed() -> None:
    b = half_open()
    stream = b.breaker(numbers)(b)
    unused = b.breaker(numbers)(b)
    next(stream)
    with pytest.raises(CircuitBreakerOpenError):
        next(unused)
    stream.close()
    assert b.state == "CLOSED"
    assert outcome(b) == (1, 1, 0, 0)


def test_a_generator_that_is_dropped_before_anything_came_gives_its_permit_back() -> None:
    b = half_open()
    stream = b.breaker.call_sync(numbers, b)
    with pytest.raises(CircuitBreakerOpenError):
        b.breaker.call_sync(numbers, b)
    del stream
    b.good()
    assert b.state == "CLOSED"


def test_what_the_consumer_throws_in_is_no_failure() -> None:
    b = Timed()
    stream = b.breaker(numbers)(b)
    next(stream)
    with pytest.raises(RuntimeError):
        stream.throw(RuntimeError("enough"))
    assert outcome(b) == (1, 0, 0, 0)


def test_async_generators_are_guarded_alike() -> None:
    b = Timed(failure_threshold=2)

    async def use() -> None:
        assert [number async for number in b.breaker(numbers_async)(b)] == [0, 1, 2]
        stream = b.breaker(numbers_async)(b)
        await anext(stream)
        await stream.aclose()
        assert outcome(b) == (2, 0, 0, 0)
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                _ = [number async for number in b.breaker.call_sync(numbers_async, b, fails=True)]
        with pytest.raises(CircuitBreakerOpenError):
            await anext(b.breaker(numbers_async)(b))

    asyncio.run(use())
    assert outcome(b) == (2, 2, 0, 0)


def test_cancelling_a_stream_gives_its_permit_back() -> None:
    b = half_open()

    async def hanging() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(20)

    async def read() -> None:
        async for _ in b.breaker(hanging)():
            pass

    async def use() -> None:
        task = asyncio.create_task(read())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(use())
    assert b.state == "HALF_OPEN"
    b.good()
    assert outcome(b) == (1, 1, 0, 1)


def test_the_deadline_is_for_all_the_waiting_together() -> None:
    b = Timed(CircuitConfig(failure_threshold=1, deadline_seconds=0.02))

    async def slow() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(20)

    async def use() -> None:
        stream = b.breaker(slow)()
        await anext(stream)
        with pytest.raises(CallDeadlineExceeded):
            await anext(stream)

    asyncio.run(use())
    assert b.state == "OPEN"


class Answer:
    """As an HTTP client's: a context manager, not made of a generator."""

    def __init__(self, b: Timed) -> None:
        self.b = b
        self.left = False

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *_: object) -> None:
        self.left = True

    async def __aenter__(self) -> "Answer":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.left = True

    def __iter__(self) -> Iterator[int]:
        return numbers(self.b)

    def __aiter__(self) -> AsyncIterator[int]:
        return numbers_async(self.b)


def test_a_stream_is_guarded_from_its_entry_to_its_exit() -> None:
    b = half_open()

    async def use() -> None:
        async with b.breaker.stream(Answer, b) as answer:
            assert b.state == "HALF_OPEN"
            with pytest.raises(CircuitBreakerOpenError):
                await b.breaker.call(asyncio.sleep, 0)
            assert not answer.left
        assert answer.left
        assert b.state == "CLOSED"
        with pytest.raises(ValueError, match="no"):
            async with b.breaker.stream(Answer, b):
                raise ValueError("no")

    asyncio.run(use())
    assert b.state == "OPEN"
    with pytest.raises(CircuitBreakerOpenError), b.breaker.stream(Answer, b):
        pass


def test_a_stream_is_guarded_while_it_is_iterated_over() -> None:
    b = Timed()
    assert list(b.breaker.stream(Answer, b)) == [0, 1, 2]

    async def coming() -> Answer:
        return Answer(b)

    async def use() -> None:
        assert [n async for n in b.breaker.stream(Answer, b)] == [0, 1, 2]
        stream = b.breaker.stream(coming)
        assert [n async for n in stream] == [0, 1, 2]
        stream = b.breaker.stream(numbers_async, b)
        await anext(stream)
        await stream.aclose()

    asyncio.run(use())
    assert outcome(b) == (4, 0, 0, 0)


def test_context_managers_made_of_generators_are_guarded_wherever_they_come_from() -> None:
    b = Timed(failure_threshold=2)

    @b.breaker
    @contextmanager
    def session() -> Iterator[str]:
        yield "open"

    @asynccontextmanager
    async def session_async() -> AsyncIterator[str]:
        yield "open"

    with session() as opened:
        assert (opened, outcome(b)) == ("open", (0, 0, 0, 0))
    assert outcome(b) == (1, 0, 0, 0)
    with pytest.raises(ValueError, match="no"), session():
        raise ValueError("no")

    async def use() -> None:
        with pytest.raises(ValueError, match="no"):
            async with b.breaker.call_sync(session_async):
                raise ValueError("no")

    asyncio.run(use())
    assert b.state == "OPEN"
