"""A process that calls through two circuit breakers, one of which trips and closes all the time, and says what each call cost beside its function.

`python -m bench.breaker_caller` reads the console from OPSCLIENT_URL and OPSCLIENT_TOKEN, takes one word a line, and answers with a line of JSON:

    run     → `calls`: microseconds of each guarded call of this phase; `transitions`: so many so far
    drain   → `transitions`: [to, seconds since 1970] of each, in order, once the console has taken them; `waiting`: so many it has not
"""

import json
import logging
import os
import sys
import time
from contextlib import suppress
from typing import Any

from opsclient import OpsConsole
from opsclient.circuit_breaker import (
    CircuitBreaker,
    CircuitBreakerManager,
    CircuitBreakerOpenError,
    CircuitConfig,
    CircuitState,
    Transition,
)

from bench.breaker_fleet import ServiceDown

CALLER, STEADY, SHAKY = "caller", "steady", "shaky"
PHASE_S, OPEN_S, PAUSE_S = 3.0, 0.02, 0.001
DRAIN_S = 60.0


def nothing() -> None:
    """The guarded function: all that a call costs is the breaker's."""


def down() -> None:
    raise ServiceDown


def spent(breaker: CircuitBreaker, *, fails: bool) -> float:
    """Microseconds."""
    began = time.perf_counter_ns()
    with suppress(ServiceDown, CircuitBreakerOpenError):
        breaker.call_sync(down if fails else nothing)
    return (time.perf_counter_ns() - began) / 1000


class Caller:
    """The process' breakers, and what has become of them."""

    def __init__(self) -> None:
        url, token = os.environ["OPSCLIENT_URL"], os.environ["OPSCLIENT_TOKEN"]
        self._console = OpsConsole(url, token=token, name=CALLER)
        manager = CircuitBreakerManager(console=self._console)
        config = CircuitConfig(failure_threshold=1, success_threshold=1, timeout_seconds=OPEN_S)
        self._steady, self._shaky = manager.create_breaker(STEADY), manager.create_breaker(SHAKY, config)
        self._found: list[tuple[str, float]] = []
        self._shaky.add_listener(self._note)

    def _note(self, transition: Transition) -> None:
        self._found.append((str(transition.after), time.time()))

    def run(self) -> dict[str, Any]:
        calls, until = [], time.monotonic() + PHASE_S
        while time.monotonic() < until:
            calls.append(spent(self._steady, fails=False))
            calls.append(spent(self._shaky, fails=self._shaky.state is CircuitState.CLOSED))
            time.sleep(PAUSE_S)
        return {"calls": calls, "transitions": len(self._found)}

    def drain(self) -> dict[str, Any]:
        reporter, until = self._console.breakers.reporter, time.monotonic() + DRAIN_S
        while reporter.waiting and time.monotonic() < until:
            time.sleep(0.05)
        return {"transitions": self._found, "waiting": reporter.waiting}


def main() -> None:
    # Each opening, said, would bury what the measurement says.
    logging.disable(logging.CRITICAL)
    caller = Caller()
    for line in sys.stdin:
        answer = caller.run() if line.strip() == "run" else caller.drain()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
