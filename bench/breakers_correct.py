"""What a circuit breaker must get right, tried with ours: the table of what others get wrong.

`python -m bench.breakers_correct` prints what was found as JSON. Processes at the half-open moment: `bench.breakers_shared`.
"""

import asyncio
import contextlib
import gc
import json
import logging
import os
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

from opsclient.circuit_breaker import CircuitBreaker, CircuitBreakerOpenError, CircuitConfig

from bench.fleet import WallShift

NOW = 1e-9  # a time that is over by the next call
PERMITS = 2
TASKS, THREADS = 50, 20
FAILURES = 160_000
REJECTIONS = 100_000
WAIT_S = 30.0
DAY_S = 86_400.0


class Failed(Exception):
    """The guarded call's."""


def fail() -> None:
    raise Failed


def trip(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        try:
            breaker.call_sync(fail)
        except Failed:
            continue


def about_to_try(**fields: Any) -> CircuitBreaker:
    """Open, and its time is over."""
    breaker = CircuitBreaker(
        "b", CircuitConfig(failure_threshold=1, success_threshold=PERMITS, timeout_seconds=NOW, **fields)
    )
    trip(breaker)
    return breaker


def tasks() -> int:
    """How many of 50 that arrive at the half-open moment are let in."""
    breaker, entered = about_to_try(), 0

    async def probe() -> None:
        nonlocal entered
        entered += 1
        await asyncio.sleep(0.05)

    async def all_at_once() -> None:
        await asyncio.gather(*(breaker.call(probe) for _ in range(TASKS)), return_exceptions=True)

    asyncio.run(all_at_once())
    return entered


def threads() -> int:
    """As `tasks`, of 20 threads."""
    breaker, entered = about_to_try(), []
    ready, tried = threading.Barrier(THREADS), threading.Barrier(THREADS)

    def probe() -> None:
        entered.append(1)
        tried.wait(WAIT_S)

    def work() -> None:
        ready.wait(WAIT_S)
        try:
            breaker.call_sync(probe)
        except CircuitBreakerOpenError:
            tried.wait(WAIT_S)

    run_all([threading.Thread(target=work) for _ in range(THREADS)])
    return len(entered)


def run_all(workers: list[threading.Thread]) -> None:
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def cancellations() -> dict[str, Any]:
    """Twenty calls that an outer timeout cancels between failures, and a probe that is cancelled."""
    breaker = CircuitBreaker(
        "b", CircuitConfig(failure_threshold=5, success_threshold=1, timeout_seconds=NOW)
    )

    async def cancelled() -> None:
        try:
            async with asyncio.timeout(0):
                await breaker.call(asyncio.sleep, WAIT_S)
        except TimeoutError:
            return

    trip(breaker, 4)
    for _ in range(20):
        asyncio.run(cancelled())
    after_twenty = str(breaker.state)
    trip(breaker)
    after_the_fifth_failure = str(breaker.state)
    asyncio.run(cancelled())
    after_the_probe = str(breaker.state)
    breaker.call_sync(int)
    return {
        "after 20 cancelled": after_twenty,
        "after the fifth failure": after_the_fifth_failure,
        "after a cancelled probe": after_the_probe,
        "after the next": str(breaker.state),
    }


def stale() -> str:
    """The state after a success from before the trip, in HALF_OPEN."""
    breaker = CircuitBreaker(
        "b", CircuitConfig(failure_threshold=1, success_threshold=1, timeout_seconds=NOW)
    )
    old, probe = breaker.guard().__enter__(), breaker.guard()
    trip(breaker)
    probe.__enter__()
    old.__exit__(None, None, None)
    state = str(breaker.state)
    probe.__exit__(Failed, Failed(), None)
    return state


def ignored() -> str:
    """The state after 4 failures, an ignored exception and a fifth failure."""
    breaker = CircuitBreaker("b", CircuitConfig(failure_threshold=5, ignore_exceptions=(KeyError,)))
    trip(breaker, 4)
    try:
        breaker.call_sync(dict[str, int]().__getitem__, "x")
    except KeyError:
        trip(breaker)
    return str(breaker.state)


def wall_clock() -> list[str] | None:
    """The state right after a trip, when the wall clock jumps a day on, and a day back; None where it cannot be stepped."""
    path = os.environ.get("OPSBENCH_WALL_SHIFT")
    if path is None:
        return None
    shift, true = WallShift(Path(path)), time.time()
    breaker = CircuitBreaker("b", CircuitConfig(failure_threshold=1, timeout_seconds=3600))
    trip(breaker)
    found = []
    for step in (DAY_S, -DAY_S):
        shift.step(step)
        if abs(time.time() - true - step) > DAY_S / 2:
            raise RuntimeError("the wall clock was not stepped")
        with contextlib.suppress(CircuitBreakerOpenError):
            breaker.call_sync(int)
        found.append(str(breaker.state))
    shift.step(0)
    return found


def counted() -> int:
    """How many of 160,000 failures of 8 threads are counted."""
    breaker = CircuitBreaker("b", CircuitConfig(failure_threshold=1_000_000))
    run_all([threading.Thread(target=trip, args=(breaker, FAILURES // 8)) for _ in range(8)])
    return int(breaker.get_status()["counts"]["failure"])


def grown() -> int:
    """Bytes by which 100,000 rejections make the process larger, each with a payload of 10 kB in its caller."""
    breaker = CircuitBreaker("b", CircuitConfig(failure_threshold=1, timeout_seconds=3600))
    trip(breaker)

    def rejected(times: int) -> None:
        for _ in range(times):
            payload = bytes(10_000)
            try:
                breaker.call_sync(len, payload)
            except CircuitBreakerOpenError:
                continue

    rejected(1000)
    tracemalloc.start()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    rejected(REJECTIONS)
    gc.collect()
    return tracemalloc.get_traced_memory()[0] - before


def main() -> None:
    logging.disable(logging.CRITICAL)
    found = {
        "tasks": tasks(),
        "threads": threads(),
        "cancellations": cancellations(),
        "stale": stale(),
        "ignored": ignored(),
        "wall_clock": wall_clock(),
        "counted": counted(),
        "grown": grown(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
