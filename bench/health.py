"""The parts of `script/bench health`: each measures in processes of its own and sets its results beside the targets."""

import statistics
from collections.abc import Callable
from pathlib import Path

from bench.alerts import json_of
from bench.figures import Figure, at_least, at_most, percentile, seen
from bench.health_api import CONNECTIONS, FLOOR, PATHS
from bench.result import Result

TIMES = 1.3
SLOWEST_MS = 50


def health_api(folder: Path) -> Result:
    """Requests a second beside an empty view's."""
    found = json_of(["bench.health_api", "--folder", str(folder)])

    def per_second(name: str) -> float:
        return float(statistics.median(one["per_second"] for one in found[name]))

    floor = per_second(FLOOR)
    figures: list[Figure] = [
        seen(f"gunicorn, gthread, an empty DRF view, {CONNECTIONS} connections", floor, "requests/s")
    ]
    for path in PATHS:
        spent = [value for one in found[path] for value in one["milliseconds"]]
        figures += [
            seen(f"GET {path}, while the demo runs", per_second(path), "requests/s"),
            at_least(f"GET {path}, times the empty view", per_second(path) / floor, TIMES, "×"),
            at_most(f"GET {path}, p99 of {len(spent):,}", percentile(spent, 0.99), SLOWEST_MS, "ms"),
            at_most(
                f"GET {path}, not answered 200", sum(one["failed"] for one in found[path]), 0, "requests"
            ),
        ]
    return Result(figures, found)


def health_faults(folder: Path) -> Result:
    """From a real failure to somebody who knows."""
    found = json_of(["bench.health_faults", "--folder", str(folder)])
    rounds: dict[str, list[dict[str, float]]] = found["rounds"]
    bound = 2 * found["interval"] + 2
    told = [one["told"] for ones in rounds.values() for one in ones]
    changed = [one["changed"] for ones in rounds.values() for one in ones]
    figures = [
        at_most(
            f"failure → status changed, p99 of {len(changed)}, interval {found['interval']} s",
            percentile(changed, 0.99),
            bound,
            "s",
        ),
        at_most(f"failure → alert at a webhook, p99 of {len(told)}", percentile(told, 0.99), bound, "s"),
        seen("failure → alert at a webhook, median", statistics.median(told), "s"),
    ]
    figures += [
        seen(f"  {name}: alert, worst of {len(ones)}", max(one["told"] for one in ones), "s")
        for name, ones in rounds.items()
    ]
    if "disk filled" not in rounds:
        figures.append(Figure("disk filled", "", "not possible here: this account may not mount"))
    return Result(figures, found)


HEALTH_PARTS: dict[str, Callable[[Path], Result]] = {
    "health-api": health_api,
    "health-faults": health_faults,
}
