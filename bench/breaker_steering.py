"""From the commit of an operator's reset to the moment at which it is in force in all of 32 processes.

`python -m bench.breaker_steering --folder DIR` prints milliseconds as JSON, one value for each reset: `applied`, until the last of the processes,
and `commit`, the reset's own. The reset counts from just before its COMMIT was sent, which makes the figure larger, never smaller.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.board import Board
from bench.breaker_fleet import BREAKER
from bench.fleet import wait_until
from bench.rig import ROOT, Operator, Rig, operator

PROCESSES = 32
RESETS = 100
# Seconds. Each reset begins from rest, after all that the processes had to tell of the one before.
REST = 0.5


@contextmanager
def fleet(rig: Rig, *, count: int) -> Iterator[Board]:
    board = Board(rig.path / "breakers", count, create=True)
    command = [sys.executable, "-m", "bench.breaker_fleet", "--board", str(board.path), "--count", str(count)]
    environ = os.environ | rig.client_environ()
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, process_group=0) as process:
        yield board
        if process.stdin is not None:
            process.stdin.close()
        process.wait(10)
    board.close()


def one_reset(board: Board, commands: Operator, number: int) -> tuple[float, float]:
    """Milliseconds: (commit → in force in the last process, the commit itself)."""
    wait_until(
        lambda: all(row.tries > number for row in board.read()), "every process has tripped", seconds=60
    )
    wait_until(
        lambda: commands.ask("reported", breaker=BREAKER)["open"] == board.rows,
        "the console knows of all of them",
        every=0.1,
    )
    time.sleep(REST)
    told = commands.ask("reset", breaker=BREAKER)
    wait_until(lambda: all(row.allowed > number for row in board.read()), "it is reset everywhere")
    last = max(row.told for row in board.read())
    return (last - told["committing"]) / 1e6, (told["committed"] - told["committing"]) / 1e6


def measure(folder: Path, *, resets: int, processes: int) -> dict[str, list[float]]:
    with (
        Rig(folder, term=2.0) as rig,
        fleet(rig, count=processes) as board,
        operator(rig) as commands,
    ):
        found = [one_reset(board, commands, number) for number in range(resets)]
    return {"applied": [applied for applied, _ in found], "commit": [commit for _, commit in found]}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.breaker_steering", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--resets", type=int, default=RESETS)
    parser.add_argument("--processes", type=int, default=PROCESSES)
    options = parser.parse_args()
    print(json.dumps(measure(options.folder, resets=options.resets, processes=options.processes)))


if __name__ == "__main__":
    main()
