"""Functions to guard, and breakers in the state that a test begins with."""

import asyncio
from typing import Any

import pytest
from opsclient.circuit_breaker import CircuitBreaker, CircuitConfig

ONE = CircuitConfig(failure_threshold=1)


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


async def fail_async() -> None:
    await asyncio.sleep(0)
    raise ValueError("no")


def trip(breaker: CircuitBreaker) -> None:
    with pytest.raises(ValueError, match="no"):
        breaker.call_sync(fail)
