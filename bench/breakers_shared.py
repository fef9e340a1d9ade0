"""How many of 8 processes are let in at the half-open moment of a breaker that they share, through a real console.

`python -m bench.breakers_shared --folder DIR` prints JSON: `entered`, one number for each round. Each process calls from four threads without a
pause, from before the open time is over until long after; a call that is let in stays until no process calls any more, so that all that could be
let in are. Then they succeed, which closes the breaker everywhere, and the next round begins.
"""

import argparse
import json
import logging
import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from opsclient import OpsConsole
from opsclient.circuit_breaker import (
    CircuitBreaker,
    CircuitBreakerManager,
    CircuitBreakerOpenError,
    CircuitConfig,
    CircuitState,
)

from bench.breaker_fleet import trip
from bench.fleet import wait_until
from bench.rig import Operator, Rig, operator

BREAKER = "shared"
PROCESSES, THREADS, PERMITS, ROUNDS = 8, 4, 2, 5
# Seconds: STAY_S from the last call to the first success.
OPEN_S, TRY_S, STAY_S, PATIENCE_S = 1.0, 2.5, 0.5, 60.0


@dataclass(frozen=True, slots=True)
class Round:
    """What the processes share: how many calls were let in, until when they call (by the machine's steady clock), and whose turn it is."""

    entered: "Synchronized[int]"
    until: "Synchronized[float]"
    turn: "Barrier"


def one_round(breaker: CircuitBreaker, shared: Round, *, first: bool) -> None:
    """In a child: one trips, all open, all try."""
    if first:
        shared.until.value = time.monotonic() + OPEN_S + TRY_S
        trip(breaker)
    wait_until(lambda: breaker.state is CircuitState.OPEN, "the breaker is open", seconds=PATIENCE_S)
    until = shared.until.value

    def probe() -> None:
        with shared.entered.get_lock():
            shared.entered.value += 1
        time.sleep(max(0.0, until + STAY_S - time.monotonic()))

    def call() -> None:
        while time.monotonic() < until:
            try:
                breaker.call_sync(probe)
            except CircuitBreakerOpenError:
                time.sleep(0.0005)

    threads = [threading.Thread(target=call) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def child(number: int, environ: dict[str, str], shared: Round) -> None:
    """Its part of every round; between rounds, and before the first, it waits for the parent."""
    logging.disable(logging.CRITICAL)
    with OpsConsole(
        environ["OPSCLIENT_URL"], token=environ["OPSCLIENT_TOKEN"], name=f"load-{number}"
    ) as console:
        config = CircuitConfig(failure_threshold=1, success_threshold=PERMITS, timeout_seconds=OPEN_S)
        breaker = CircuitBreakerManager(console=console).create_breaker(BREAKER, config)
        for _ in range(ROUNDS):
            wait_until(lambda: breaker.state is CircuitState.CLOSED, "it is closed again", seconds=PATIENCE_S)
            shared.turn.wait(PATIENCE_S)
            one_round(breaker, shared, first=number == 0)
            shared.turn.wait(PATIENCE_S)


@contextmanager
def children(rig: Rig) -> Iterator[Round]:
    context = multiprocessing.get_context("spawn")
    shared = Round(context.Value("i", 0), context.Value("d", 0.0), context.Barrier(PROCESSES + 1))
    environ = rig.client_environ()
    processes = [context.Process(target=child, args=(number, environ, shared)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    yield shared
    for process in processes:
        process.join()
        if process.exitcode:
            raise RuntimeError(f"a process ended with exit code {process.exitcode}; its message stands above")


def share(commands: Operator) -> None:
    """Once the console knows the breaker of every process."""
    wait_until(
        lambda: commands.ask("reported", breaker=BREAKER)["processes"] == PROCESSES,
        "every process has reported its breaker",
        seconds=PATIENCE_S,
        every=0.1,
    )
    commands.ask("share", breaker=BREAKER, quorum=1)


def measure(folder: Path) -> dict[str, Any]:
    found = []
    with Rig(folder, term=2.0) as rig, operator(rig) as commands, children(rig) as shared:
        share(commands)
        for _ in range(ROUNDS):
            shared.turn.wait(PATIENCE_S)
            shared.turn.wait(PATIENCE_S)
            found.append(shared.entered.value)
            shared.entered.value = 0
    return {"entered": found}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.breakers_shared", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    print(json.dumps(measure(parser.parse_args().folder)))


if __name__ == "__main__":
    main()
