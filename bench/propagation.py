"""From the commit of a stop to the last order that any of 32 processes was allowed, and to the last
acknowledgement.

`python -m bench.propagation --folder DIR` prints its measurements as JSON. The 32 processes each try an order
every 5 ms; their starts are spread, so together they try every 0.16 ms. The time of an order is the clock
just *after* the process was told yes, and the stop counts from just *before* its COMMIT was sent: both make
the figure larger, never smaller.

Between two stops the floor is measured: one process updates a row and notifies, another listens.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import floor
from bench.fleet import Fleet, wait_until
from bench.rig import ROOT, Operator, Rig, operator

PROCESSES = 32
EVERY = 0.005
STOPS = 200
# Seconds. Each stop begins from rest: what the processes tell the console after a re-arm (within 0.7 s) has been told.
REST = 1.0


@contextmanager
def listener(url: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that says when each notification arrived."""
    command = [sys.executable, "-m", "bench.floor"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None:
            raise RuntimeError("the listener was started without pipes")
        print(url, file=process.stdin, flush=True)
        if _line(process) != "listening":
            raise RuntimeError("the listener did not start; its message stands above")
        yield process
        process.kill()


def _line(process: "subprocess.Popen[str]") -> str:
    if process.stdout is None:
        raise RuntimeError("the listener was started without pipes")
    return process.stdout.readline().strip()


def one_stop(fleet: Fleet, commands: Operator) -> tuple[float, float, float]:
    """Stop and re-arm once. Milliseconds: (commit → last order, activation → last acknowledgement, the commit
    itself).
    """
    fleet.wait_trading()
    time.sleep(REST)
    stop = commands.ask("stop")
    proof: dict[str, Any] = {}

    def stopped() -> bool:
        proof.update(commands.ask("proof", activation=stop["activation"]))
        return bool(proof["stopped"])

    # Looked for seldom, so that the looking does not slow down what is looked at.
    wait_until(stopped, "every process is proven", every=0.05)
    if proof["expired"]:
        raise RuntimeError(f"{proof['expired']} processes did not acknowledge; the figure would be of leases")
    last = max(row.told for row in fleet.rows())
    commands.ask("rearm")
    commit = (stop["committed"] - stop["committing"]) / 1e6
    return max(0, last - stop["committing"]) / 1e6, proof["time_to_stop_ms"], commit


def one_notification(number: int, listening: "subprocess.Popen[str]", commands: Operator) -> float:
    """Milliseconds from just before COMMIT to the arrival in the other process."""
    sent = commands.ask("notify", id=number)
    payload, arrived = _line(listening).split()
    if int(payload) != number:
        raise RuntimeError(f"notification {number} was lost")
    return float((int(arrived) - sent["committing"]) / 1e6)


def measure(folder: Path, *, stops: int, processes: int = PROCESSES) -> dict[str, list[float]]:
    """Milliseconds, one value for each stop: `last_order`, `acknowledged`, `commit`, `floor`."""
    found: dict[str, list[float]] = {"last_order": [], "acknowledged": [], "commit": [], "floor": []}
    with Rig(folder, term=2.0) as rig:
        floor.create(rig.cluster.url)
        environ = rig.client_environ()
        with (
            Fleet(folder, count=processes, every=EVERY, environ=environ) as fleet,
            operator(rig) as commands,
            listener(rig.cluster.url) as listening,
        ):
            fleet.wait_trading(seconds=60)
            for number in range(stops):
                last, acknowledged, commit = one_stop(fleet, commands)
                found["last_order"].append(last)
                found["acknowledged"].append(acknowledged)
                found["commit"].append(commit)
                found["floor"].append(one_notification(number, listening, commands))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.propagation", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--stops", type=int, default=STOPS)
    parser.add_argument("--processes", type=int, default=PROCESSES)
    options = parser.parse_args()
    print(json.dumps(measure(options.folder, stops=options.stops, processes=options.processes)))


if __name__ == "__main__":
    main()
