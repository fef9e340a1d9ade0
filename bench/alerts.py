"""The parts of `script/bench alerts`: each measures in processes of its own and sets its results beside the targets."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.figures import Figure, at_least, at_most, percentile, seen
from bench.result import Result
from bench.rig import ROOT

STORM_TIMES, UNIQUE_TIMES = 1.5, 0.5


def posted(folder: Path, **options: int) -> Result:
    """Posted alerts and filtered listings beside Alertmanager's."""
    found = json_of(["bench.alertmanager", "--folder", str(folder), *_words(options)])
    count = found["alerts"]
    figures = []
    for workload, times in (("storm", STORM_TIMES), ("unique", UNIQUE_TIMES)):
        ours, theirs = (
            statistics.median(run[peer]["per_second"] for run in found[workload])
            for peer in ("console", "alertmanager")
        )
        figures += [
            seen(
                f"{workload}, {count:,} alerts, 8 connections, batches of 64: Alertmanager",
                theirs,
                "alerts/s",
            ),
            seen(f"{workload}: the console", ours, "alerts/s"),
            at_least(f"{workload}: the console, times Alertmanager", ours / theirs, times, "×"),
            seen(
                f"{workload}: the last one is decided so long after it was answered",
                statistics.median(run["console"]["decided_s"] for run in found[workload]),
                "s",
            ),
        ]
        failed = sum(run["console"]["failed"] for run in found[workload])
        lost = sum(count - run["console"]["raised"] for run in found[workload])
        figures.append(at_most(f"{workload}: alerts not counted, requests refused", lost + failed, 0, ""))
    return Result([*figures, *_listings(found)], found)


def _listings(found: dict[str, Any]) -> list[Figure]:
    ours, theirs, killed = found["console"], found["alertmanager"], found["killed"]
    active = f"GET ?filter=, one hit among {found['alerts']:,}"
    answered = killed["answered"]
    return [
        at_most(f"{active}, worst of {len(ours['one_hit_ms'])}", max(ours["one_hit_ms"]), 20, "ms"),
        seen(f"{active}, median", statistics.median(ours["one_hit_ms"]), "ms"),
        seen(f"{active}: Alertmanager", statistics.median(theirs["one_hit_ms"]), "ms"),
        at_most(f"{active}, right after 1,000 new silences", ours["after_silences_ms"], 50, "ms"),
        seen(f"{active}, right after 1,000 new silences: Alertmanager", theirs["after_silences_ms"], "ms"),
        at_most("alerts answered 200 and not listed after kill -9", answered - killed["listed"], 0, "alerts"),
        at_most(
            "alerts answered 200 and not decided after kill -9", answered - killed["decided"], 0, "alerts"
        ),
    ]


def exactness(folder: Path, **options: int) -> Result:
    """Counts of eight concurrent writers against those of a sequential oracle."""
    found = json_of(["bench.exactness", "--folder", str(folder), *_words(options)])
    wrong = sum(abs(counted - expected) for counted, expected in found["counts"].values())
    raised = sum(expected for _, expected in found["counts"].values())
    figures = [
        at_least("8 writers: alerts raised", raised, min(raised, 100_000), "alerts"),
        at_most("8 writers: counts of decisions, difference to the oracle", wrong, 0, "alerts"),
        at_most(
            "8 writers: times raised, difference to the incidents'",
            abs(raised - found["raised"]),
            0,
            "alerts",
        ),
        at_most("8 writers: most sent of one category in one hour", found["most_in_an_hour"], 20, "alerts"),
        seen("8 writers: alerts a second, in all", raised / found["seconds"], "alerts/s"),
    ]
    return Result(figures, found)


def latency(folder: Path, **options: int) -> Result:
    """From the console's answer to the first byte at a receiver."""
    found = json_of(["bench.alert_latency", "--folder", str(folder), *_words(options)])
    idle, urgent, others = found["idle_ms"], found["urgent_ms"], found["others"]
    figures = [
        at_most(
            f"accepted → first byte at a webhook, idle, p99 of {len(idle)}", percentile(idle, 0.99), 150, "ms"
        ),
        seen("accepted → first byte at a webhook, idle, median", statistics.median(idle), "ms"),
        at_most(
            f"CRITICAL under a storm of {others:,} others, p99 of {len(urgent)}",
            percentile(urgent, 0.99),
            1000,
            "ms",
        ),
        seen(f"CRITICAL under a storm of {others:,} others, median", statistics.median(urgent), "ms"),
    ]
    return Result(figures, found)


def deliveries(folder: Path, **options: int) -> Result:
    """Nothing is lost while the console's processes are killed in a loop."""
    found = json_of(["bench.delivery_faults", "--folder", str(folder), *_words(options)])
    kills = ", ".join(f"{count} × {name}" for name, count in sorted(found["kills"].items()))
    wanted = options.get("deliveries", 10_000)
    figures = [
        at_least("deliveries to a receiver on a bad day", found["written"], wanted, ""),
        seen(f"kill -9 meanwhile ({kills})", sum(found["kills"].values()), "kills"),
        at_most("alerts accepted and not in the outbox", found["missing"], 0, "deliveries"),
        at_most("deliveries lost", found["lost"] + found["not_sent"], 0, "deliveries"),
        at_most("arrived again without a mark", found["unmarked"], 0, "calls"),
        at_most(
            "arrived again, not in flight at a kill, after a clear answer", found["unexplained"], 0, "calls"
        ),
        seen("arrived again, marked", found["again"], "calls"),
    ]
    return Result(figures, found)


def reads(folder: Path, **options: int) -> Result:
    """SQL of lists, searches and statistics at a million stored alerts."""
    found = json_of(["bench.alert_reads", "--folder", str(folder), *_words(options)])
    count, figures = found["count"], []
    for name, read in found["reads"].items():
        what = f"{name}, {count:,} stored alerts: SQL, median of {len(read['sql_ms'])}"
        spent = statistics.median(read["sql_ms"])
        bounded = name.startswith(("recent", "search", "statistics"))
        figures.append(at_most(what, spent, 50, "ms") if bounded else seen(what, spent, "ms"))
    return Result(figures, found)


ALERT_PARTS: dict[str, Callable[[Path], Result]] = {
    "posted": posted,
    "exactness": exactness,
    "latency": latency,
    "deliveries": deliveries,
    "reads": reads,
}


def json_of(module: list[str], environ: dict[str, str] | None = None) -> Any:
    """What `python -m …` printed. Raises RuntimeError when it failed."""
    done = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env=os.environ | (environ or {}),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module[0]} ended with exit code {done.returncode}; its message stands above")
    return json.loads(done.stdout)


def _words(options: dict[str, int]) -> list[str]:
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]
