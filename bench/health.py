"""The parts of `script/bench health`: each measures in processes of its own and sets its results beside the targets."""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.alerts import json_of
from bench.figures import Figure, at_least, at_most, percentile, seen
from bench.health_api import CONNECTIONS, FLOOR, PATHS
from bench.result import Result
from monitoring.health.watchdog.stages import BEAT_LATE, LATE, Stage

TIMES = 1.3
SLOWEST_MS = 50
# Of those that are asked for without one.
NEED_NO_DATABASE = frozenset({"/healthz", "/monitoring/docs", "/monitoring/schema"})
# Between two looks of the watchdog, in seconds.
WATCH_TURN = 5


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


def health_frozen(folder: Path) -> Result:
    """What waits for a Redis or a database that does not answer."""
    found = json_of(["bench.health_frozen", "--folder", str(folder)])
    well = {one["path"]: one["status"] for one in found["well"]}
    figures: list[Figure] = [
        seen("addresses asked for: pages, admin and API", len(well), ""),
        seen("  while all is well: slowest", _slowest(found["well"]), "ms"),
    ]
    for name in ("redis frozen", "redis known to be frozen"):
        asked = found[name]
        changed = [one for one in asked if one["status"] != well[one["path"]] and not _is_said(one)]
        figures += [
            at_most(f"{name}: slowest of {len(asked):,}", _slowest(asked), 1000, "ms"),
            at_most(f"{name}: answered otherwise than before", len(changed), 0, "answers"),
        ]
    pages = [one for one in found["redis known to be frozen"] if one["page"]]
    silent = [one for one in pages if not one["says"]]
    figures.append(at_most(f"pages that do not say so, of {len(pages)}", len(silent), 0, "pages"))
    for name in ("database frozen", "database stopped"):
        asked = found[name]
        alive = [one for one in asked if one["path"] == "/healthz"]
        others = [one for one in asked if one["path"] not in NEED_NO_DATABASE]
        wrong = [one for one in others if one["status"] != 503 or not one["says"]]
        figures += [
            at_most(f"{name}: /healthz that is not 200", _others_than(alive, 200), 0, "answers"),
            at_most(f"{name}: slowest of {len(others):,}", _slowest(others), 2000, "ms"),
            at_most(f"{name}: not 503 in the error format", len(wrong), 0, "answers"),
        ]
    return Result(figures, found)


def _slowest(asked: list[dict[str, Any]]) -> float:
    return max(float(one["milliseconds"]) for one in asked)


def _others_than(asked: list[dict[str, Any]], status: int) -> int:
    return sum(one["status"] != status for one in asked)


def _is_said(one: dict[str, Any]) -> bool:
    """503 of the health addresses themselves: Redis is unhealthy, they say."""
    return one["status"] == 503 and one["path"] in {"/monitoring/health", "/monitoring/health/summary"}


def health_watchdog(folder: Path) -> Result:
    """Each stage of the watchdog's way fails for real."""
    found = json_of(["bench.health_watchdog", "--folder", str(folder)])
    figures: list[Figure] = []
    for stage, ones in found.items():
        limit = (BEAT_LATE if stage == Stage.BEAT else LATE).total_seconds() + WATCH_TURN + 2
        figures += [
            at_most(
                f"{stage} fails → it is named, worst of {len(ones)}",
                max(one["named"] for one in ones),
                limit,
                "s",
            ),
            at_most(f"{stage} fails → its alert at a webhook", max(one["told"] for one in ones), limit, "s"),
        ]
    return Result(figures, found)


HEALTH_PARTS: dict[str, Callable[[Path], Result]] = {
    "health-api": health_api,
    "health-faults": health_faults,
    "health-frozen": health_frozen,
    "health-watchdog": health_watchdog,
}
