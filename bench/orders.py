"""The load: processes that follow the console and ask before each order, every few milliseconds.

`python -m bench.orders --board FILE --count N --every SECONDS` reads the console from OPSCLIENT_URL and
OPSCLIENT_TOKEN, and ends when its standard input closes. The processes are forks of one that has everything
loaded; each connects by itself.
"""

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from opsclient import KillSwitch, OpsConsole

from bench.board import Board
from demo.clock import boot_ns


def trade(board: Board, number: int, every: float, on_contact_lost: Literal["halt", "keep"]) -> None:
    """Ask for ever, and write down when the answer was yes. Nothing is sent anywhere: the answer is what is
    measured.
    """
    url, token = os.environ["OPSCLIENT_URL"], os.environ["OPSCLIENT_TOKEN"]
    kill_switch = KillSwitch(
        console=OpsConsole(url, token=token, name=f"load-{number}", on_contact_lost=on_contact_lost)
    )
    pid, tries, allowed, last_asked, last_told = os.getpid(), 0, 0, 0, 0
    # Spread over the period, so that together they try far more often than each.
    time.sleep(every * number / board.rows)
    while True:
        asked = boot_ns()
        answer = kill_switch.is_trading_allowed()
        told = boot_ns()
        tries += 1
        if answer:
            allowed, last_asked, last_told = allowed + 1, asked, told
        board.write(number, (pid, tries, allowed, last_asked, last_told, kill_switch.epoch or 0, told))
        time.sleep(every)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.orders", description=__doc__)
    parser.add_argument("--board", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--every", type=float, required=True)
    parser.add_argument("--on-contact-lost", choices=("halt", "keep"), required=True)
    options = parser.parse_args()
    # Hundreds of stops, each said by each process, would bury what the measurement says.
    logging.disable(logging.CRITICAL)
    board = Board(options.board, options.count)
    run_forks(options.count, lambda number: trade(board, number, options.every, options.on_contact_lost))


def run_forks(count: int, work: Callable[[int], None]) -> None:
    """Forks that each do `work(number)`, until the standard input of this process closes."""
    children = []
    for number in range(count):
        if child := os.fork():
            children.append(child)
            continue
        # The write end of the parent's pipe is not ours: the end of standard input means that all of us go.
        threading.Thread(target=_end_with_input, daemon=True).start()
        work(number)
    _wait(children)


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _wait(children: list[int]) -> None:
    sys.stdin.buffer.read()
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
