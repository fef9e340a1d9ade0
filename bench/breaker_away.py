"""What a guarded call costs while the console is there, killed, frozen, or without its database; and what becomes of the transitions made meanwhile.

`python -m bench.breaker_away --folder DIR` prints JSON: `calls`, microseconds of each call by what was wrong; `made` and `lost`, transitions that
happened, and those that the console does not have in the end; `late_ms`: how far the console's time of each is from the process' own.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from bench.breaker_caller import CALLER, SHAKY
from bench.fleet import wait_until
from bench.rig import ROOT, Rig

KEPT = """
SELECT t.to_state, extract(epoch FROM t.at)::float8 FROM monitoring_breakertransition t JOIN monitoring_circuitbreaker b ON b.id = t.breaker_id
WHERE b.name = %s AND t.client = %s ORDER BY t.seq
"""


class Caller:
    """The calling process (`bench.breaker_caller`)."""

    def __init__(self, rig: Rig) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.breaker_caller"],
            cwd=ROOT,
            env=os.environ | rig.client_environ(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def ask(self, word: str) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the calling process was started without pipes")
        print(word, file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(10)


def phases(rig: Rig) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """By what is wrong: how it comes about, and how it ends."""

    def database_back() -> None:
        rig.postgres.start()
        rig.wait_postgres()

    return {
        "killed": (rig.web.kill, rig.start_web),
        "frozen": (rig.web.freeze, rig.web.thaw),
        "database stopped": (rig.postgres.stop, database_back),
    }


def measure(folder: Path) -> dict[str, Any]:
    with Rig(folder, term=2.0) as rig:
        caller = Caller(rig)
        try:
            # Once to warm up, and for the console to know it.
            caller.ask("run")
            calls = {"there": caller.ask("run")["calls"]}
            for name, (begin, end) in phases(rig).items():
                begin()
                calls[name] = caller.ask("run")["calls"]
                end()
                wait_until(
                    lambda: caller.ask("drain")["waiting"] == 0, f"all is told after {name}", seconds=90
                )
            made = caller.ask("drain")["transitions"]
        finally:
            caller.close()
        with psycopg.connect(rig.cluster.url) as connection:
            kept = connection.execute(KEPT, (SHAKY, CALLER)).fetchall()
    return {"calls": calls, "made": len(made), "lost": lost(made, kept), "late_ms": late(made, kept)}


def lost(made: list[Any], kept: list[Any]) -> int:
    """Also counts those that are there twice, or out of order."""
    differ = sum(bool(one[0] != other[0]) for one, other in zip(made, kept, strict=False))
    return differ + abs(len(made) - len(kept))


def late(made: list[Any], kept: list[Any]) -> list[float]:
    return [1000 * abs(one[1] - other[1]) for one, other in zip(made, kept, strict=False)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.breaker_away", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    print(json.dumps(measure(parser.parse_args().folder)))


if __name__ == "__main__":
    main()
