"""What a scrape of ten thousand series costs, beside `prometheus_client.generate_latest` for the same metrics, labels and values.

`python -m bench.metrics_exposition --folder DIR` makes a console's database with that many series and prints milliseconds as JSON. Both are
measured in turn in every round, so that a busy moment of the machine meets both.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.alerts import json_of
from bench.figures import at_most, seen
from bench.result import Result
from bench.rig import measured_inside

COUNT, ROUNDS, TIMES = 10_000, 25, 1.5


def exposition(folder: Path, **options: int) -> Result:
    """The part of `script/bench`."""
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    found = json_of(["bench.metrics_exposition", "--folder", str(folder), *words])
    count = f"{found['series']:,} series"
    ours, whole, theirs = (statistics.median(found[name]) for name in ("expose", "get", "generate_latest"))
    figures = [
        seen(f"prometheus_client.generate_latest, {count}, {found['lines']:,} lines of values", theirs, "ms"),
        seen(f"the same from the database, {count}: SQL and text", ours, "ms"),
        seen(f"GET /metrics with {count}: from Django's first line to its last", whole, "ms"),
        at_most(f"GET /metrics with {count}, times generate_latest", whole / theirs, TIMES, "×"),
    ]
    return Result(figures, found)


def measure(folder: Path, count: int) -> str:
    return measured_inside(folder, "bench.metrics_scrape", "--count", str(count))


def in_turn(measured: dict[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Milliseconds of each, in every round; one round before them counts for nothing."""
    found: dict[str, list[float]] = {name: [] for name in measured}
    for number in range(rounds + 1):
        for name, call in measured.items():
            began = time.perf_counter()
            call()
            if number:
                found[name].append(1000 * (time.perf_counter() - began))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.metrics_exposition", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--count", type=int, default=COUNT)
    options = parser.parse_args()
    print(json.dumps(json.loads(measure(options.folder, options.count))))


if __name__ == "__main__":
    main()
