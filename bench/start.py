"""How soon a console is ready again, and what it needs of memory while nothing happens.

`python -m bench.start --folder DIR` runs script/server twice on a fresh data folder and prints JSON: the
seconds from the command to "Console ready" of both starts, and the memory of all processes of the second
after a while of idling. Memory is the proportional set size (PSS, from /proc/<pid>/smaps_rollup): pages that
several processes share are counted once in all.
"""

import argparse
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.rig import ROOT

READY = "Console ready"
# Seconds for the console to settle; several beats of its schedule pass.
IDLE = 20.0


class StartError(Exception):
    """The console did not start; its output stands in the message."""


@contextmanager
def server(folder: Path) -> Iterator[tuple[float, psutil.Process]]:
    """A console started by script/server on a free port, as (seconds until it was ready, its first process)."""
    command = [str(ROOT / "script" / "server"), "--port", "0", "--data", str(folder)]
    environ = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    began = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environ, process_group=0
    ) as process:
        try:
            yield _wait_ready(process, began), psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=15)


def _wait_ready(process: "subprocess.Popen[str]", began: float) -> float:
    said = []
    for line in process.stdout or ():
        said.append(line)
        if READY in line:
            return time.monotonic() - began
    raise StartError("script/server ended without being ready:\n" + "".join(said[-20:]))


def memory(leader: psutil.Process) -> dict[str, float]:
    """MiB by process, as `<pid> <command>`."""
    found = {}
    for process in [leader, *leader.children(recursive=True)]:
        command = " ".join(process.cmdline()[:4])[:80] or process.name()
        found[f"{process.pid} {command}"] = process.memory_full_info().pss / 2**20
    return found


def measure(folder: Path, idle: float = IDLE) -> dict[str, float | dict[str, float]]:
    with server(folder) as (first, _):
        pass
    with server(folder) as (second, leader):
        time.sleep(idle)
        pss = memory(leader)
    return {"first_s": first, "second_s": second, "pss_mib": sum(pss.values()), "processes_mib": pss}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.start", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    print(json.dumps(measure(parser.parse_args().folder)))


if __name__ == "__main__":
    main()
