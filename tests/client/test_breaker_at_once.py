"""Many tasks and threads at one breaker."""

import asyncio
import threading
from typing import Any

import pytest
from opsclient.circuit_breaker import CircuitBreaker, CircuitBreakerOpenError, CircuitConfig

from tests.client.breaker_calls import counts, echo, echo_async, fail, half_open


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
