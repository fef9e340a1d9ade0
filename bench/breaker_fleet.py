"""Processes with a circuit breaker of one name, which trip it by themselves whenever a reset has closed it.

`python -m bench.breaker_fleet --board FILE --count N` reads the console from OPSCLIENT_URL and OPSCLIENT_TOKEN, and ends when its standard input
closes. The processes are forks of one that has everything loaded; each connects by itself, and writes its row of the board: its pid, how often
it tripped (`tries`), how often it was reset (`allowed`), and when the newest reset was in force (`told`).
"""

import argparse
import logging
import os
import time
from pathlib import Path

from opsclient import OpsConsole
from opsclient.circuit_breaker import (
    CircuitBreaker,
    CircuitBreakerManager,
    CircuitConfig,
    CircuitState,
    Transition,
)

from bench.board import Board
from bench.orders import run_forks
from demo.clock import boot_ns

BREAKER = "shared_service"
# Seconds from a reset to the next failure.
PAUSE = 0.3


class ServiceDown(Exception):
    """What the service says each time."""


def trip(breaker: CircuitBreaker) -> None:
    def call() -> None:
        raise ServiceDown

    try:
        breaker.call_sync(call)
    except ServiceDown:
        return


def follow(board: Board, number: int) -> None:
    """Trip, be reset, and so on, for ever."""
    url, token = os.environ["OPSCLIENT_URL"], os.environ["OPSCLIENT_TOKEN"]
    manager = CircuitBreakerManager(console=OpsConsole(url, token=token, name=f"load-{number}"))
    breaker = manager.create_breaker(BREAKER, CircuitConfig(failure_threshold=1, timeout_seconds=3600))
    trips, resets, applied = 0, 0, 0

    def write() -> None:
        board.write(number, (os.getpid(), trips, resets, 0, applied, 0, 0))

    def note(transition: Transition) -> None:
        nonlocal trips, resets, applied
        if transition.after is CircuitState.OPEN:
            trips += 1
        else:
            resets, applied = resets + 1, boot_ns()
        write()

    breaker.add_listener(note)
    while True:
        if breaker.state is CircuitState.CLOSED:
            time.sleep(PAUSE)
            trip(breaker)
        time.sleep(0.01)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.breaker_fleet", description=__doc__)
    parser.add_argument("--board", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args()
    # Each reset, said by each process, would bury what the measurement says.
    logging.disable(logging.CRITICAL)
    board = Board(options.board, options.count)
    run_forks(options.count, lambda number: follow(board, number))


if __name__ == "__main__":
    main()
