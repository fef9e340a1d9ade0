"""Ingest of metrics over HTTP on one web process: `python -m bench.metrics_ingest --folder DIR` prints JSON.

Durable: PostgreSQL waits for its disk at each commit. What the database counted is compared with what was sent.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

from bench.metrics_load import one
from bench.rig import ROOT, Rig

SERIES, BATCHES, CLIENTS = 500, 1000, 4
IDLE_SERIES, IDLE_BATCHES, IDLE_PAUSE = 100, 200, 0.05
INCREMENTS = "SELECT sum(value) FROM monitoring_series WHERE name = 'trades_total'"


def load(rig: Rig, **options: float) -> Any:
    """What `bench.metrics_load` measured, in a process of its own."""
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "bench.metrics_load", "--port", str(rig.port), "--token", rig.token]
    done = subprocess.run([*command, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def counted(rig: Rig) -> float:
    with psycopg.connect(rig.environ["DATABASE_URL"]) as connection:
        row = connection.execute(INCREMENTS).fetchone()
    return float(row[0] or 0) if row else 0.0


def increments(series: int) -> float:
    """Of `trades_total`, in one batch."""
    return sum(float(found["inc"]) for found in map(one, range(series)) if found["name"] == "trades_total")


def measure(folder: Path, *, runs: int, batches: int) -> dict[str, Any]:
    with Rig(folder, term=2.0) as rig:
        # The first batches make every series.
        load(rig, series=SERIES, batches=2 * CLIENTS, clients=CLIENTS)
        before = counted(rig)
        busy = [load(rig, series=SERIES, batches=batches, clients=CLIENTS) for _ in range(runs)]
        missing = before + runs * batches * increments(SERIES) - counted(rig)
        idle = load(rig, series=IDLE_SERIES, batches=IDLE_BATCHES, clients=1, pause=IDLE_PAUSE)
    return {
        "series": SERIES,
        "per_second": [SERIES * batches / run["seconds"] for run in busy],
        "busy_ms": [ms for run in busy for ms in run["milliseconds"]],
        "failed": sum(run["failed"] for run in [*busy, idle]),
        "missing": missing,
        "idle_ms": idle["milliseconds"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.metrics_ingest", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--batches", type=int, default=BATCHES)
    given = parser.parse_args()
    print(json.dumps(measure(given.folder, runs=given.runs, batches=given.batches)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
