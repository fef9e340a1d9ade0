"""What a guarded call costs more than a bare one: ours beside five others, closed and open, plain and async.

`python -m bench.breakers_overhead` prints nanoseconds a call, one per round, as JSON. Every round measures all of them in an order of its
own, so that a busy moment of the machine meets all. Ours keeps a failure rate and a slow-call rate over a window of time, as interlock-cb
does over one of calls; the others count failures in a row.
"""

import asyncio
import json
import logging
import random
import statistics
import timeit
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import perf_counter
from typing import Any

import aiobreaker
import circuitbreaker
import interlock
import purgatory
import pybreaker
from opsclient.circuit_breaker import CircuitBreaker, CircuitConfig

ROUNDS = 151  # many and short: a machine is busy for longer than one of them
CALLS = 1_000
BARE, OURS, BY_CALL = "bare", "opsclient", "opsclient, by call"

Function = Callable[..., Any]


def work() -> int:
    return 1


async def work_async() -> int:
    return 1


def fail() -> int:
    raise ValueError


async def fail_async() -> int:
    raise ValueError


def ours(threshold: int) -> CircuitBreaker:
    config = CircuitConfig(
        failure_threshold=threshold,
        timeout_seconds=3600,
        window_type="time",
        window_size=60,
        failure_rate_threshold=50,
        slow_call_rate_threshold=80,
        slow_call_duration_seconds=2,
    )
    return CircuitBreaker("bench", config)


def guards(threshold: int, *, is_async: bool) -> dict[str, Callable[[Function], Function]]:
    """A decorator of each, of a breaker that opens after so many failures, and then stays open for an hour."""
    factory = purgatory.AsyncCircuitBreakerFactory if is_async else purgatory.SyncCircuitBreakerFactory
    windows = interlock.Config(
        minimum_number_of_calls=threshold, wait_duration_in_open=3600, slow_call_duration_threshold=2
    )
    hour = timedelta(hours=1)
    found: dict[str, Callable[[Function], Function]] = {
        OURS: ours(threshold),
        "circuitbreaker": circuitbreaker.CircuitBreaker(threshold, 3600, name="bench"),
        "purgatory": factory(default_threshold=threshold, default_ttl=3600)("bench"),
        "aiobreaker": aiobreaker.CircuitBreaker(fail_max=threshold, timeout_duration=hour),
        "interlock-cb": interlock.CircuitBreaker(name="bench", config=windows),
    }
    if not is_async:  # its async calls are Tornado's alone
        found["pybreaker"] = pybreaker.CircuitBreaker(fail_max=threshold, reset_timeout=3600)
    return found


def rejected(call: Function) -> Function:
    """The call, with what its caller does about a rejection."""

    def attempt() -> None:
        try:
            call()
        except Exception:  # each has an exception of its own
            return

    return attempt


def rejected_async(call: Callable[[], Awaitable[Any]]) -> Function:
    async def attempt() -> None:
        try:
            await call()
        except Exception:
            return

    return attempt


def opened(function: Function) -> Function:
    """The function, after enough failures that it is rejected. Raises RuntimeError if it is not."""
    for _ in range(20):
        error = _error(function)
    if type(error) in (ValueError, type(None)):
        raise RuntimeError("a breaker did not open: it would be measured in the wrong state")
    return function


def _error(function: Function) -> BaseException | None:
    try:
        made = function()
        if asyncio.iscoroutine(made):
            asyncio.run(made)
    except Exception as error:
        return error
    return None


def cost(call: Function, *arguments: Function) -> float:
    names = {"call": call, "argument": arguments[0] if arguments else None}
    statement = "call(argument)" if arguments else "call()"
    return timeit.timeit(statement, globals=names, number=CALLS) / CALLS * 1e9


async def cost_async(call: Function, *arguments: Function) -> float:
    began = perf_counter()
    if arguments:
        (argument,) = arguments
        for _ in range(CALLS):
            await call(argument)
    else:
        for _ in range(CALLS):
            await call()
    return (perf_counter() - began) / CALLS * 1e9


def cases() -> dict[str, dict[str, tuple[Function, ...]]]:
    """What is called, and with which argument, by case and library."""
    plain = guards(10, is_async=False)
    later = guards(10, is_async=True)
    return {
        "sync closed": {
            BARE: (work,),
            BY_CALL: (ours(10).call_sync, work),
            **{name: (guard(work),) for name, guard in plain.items()},
        },
        "async closed": {
            BARE: (work_async,),
            BY_CALL: (ours(10).call, work_async),
            **{name: (guard(work_async),) for name, guard in later.items()},
        },
        "sync open": {
            name: (rejected(opened(guard(fail))),) for name, guard in guards(5, is_async=False).items()
        },
        "async open": {
            name: (rejected_async(opened(guard(fail_async))),)
            for name, guard in guards(5, is_async=True).items()
        },
    }


def measure() -> dict[str, dict[str, list[float]]]:
    """Nanoseconds a call, by case and library, one per round."""
    calls = cases()
    found: dict[str, dict[str, list[float]]] = {case: {name: [] for name in calls[case]} for case in calls}
    order = [(case, name) for case in calls for name in calls[case]]
    for _ in range(ROUNDS):
        random.shuffle(order)
        for case, name in order:
            call = calls[case][name]
            spent = asyncio.run(cost_async(*call)) if case.startswith("async") else cost(*call)
            found[case][name].append(spent)
    return found


def overheads(found: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, float]]:
    """Medians: of closed calls what they cost more than a bare one, of rejected ones all."""
    middle = {
        case: {name: statistics.median(costs) for name, costs in calls.items()}
        for case, calls in found.items()
    }
    return {
        case: {name: spent - calls.get(BARE, 0.0) for name, spent in calls.items() if name != BARE}
        for case, calls in middle.items()
    }


def main() -> None:
    logging.disable(logging.CRITICAL)
    print(json.dumps(measure()))


if __name__ == "__main__":
    main()
