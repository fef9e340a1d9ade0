"""The parts of `script/bench`: each runs a measurement in processes of its own and sets its results beside
their targets.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.alerts import ALERT_PARTS
from bench.breakers import BREAKER_PARTS
from bench.figures import Figure, at_least, at_most, percentile, seen
from bench.health import HEALTH_PARTS
from bench.metrics import METRIC_PARTS
from bench.result import Result
from bench.rig import ROOT, Rig

TERMS = (2.0, 0.5)


def propagation(folder: Path) -> Result:
    found = _json(["bench.propagation", "--folder", str(folder)])
    last, acknowledged = found["last_order"], found["acknowledged"]
    count = len(last)
    figures = [
        at_most(
            f"stop committed → last order of 32 processes, p99 of {count} stops",
            percentile(last, 0.99),
            50,
            "ms",
        ),
        at_most(f"stop committed → last order of 32 processes, max of {count} stops", max(last), 100, "ms"),
        seen("stop committed → last order of 32 processes, median", statistics.median(last), "ms"),
        at_most("stop → acknowledged by all 32 processes, max", max(acknowledged), 250, "ms"),
        seen("stop → acknowledged by all 32 processes, median", statistics.median(acknowledged), "ms"),
        seen("floor: PostgreSQL UPDATE + NOTIFY → LISTEN, median", statistics.median(found["floor"]), "ms"),
        seen("floor: PostgreSQL UPDATE + NOTIFY → LISTEN, p99", percentile(found["floor"], 0.99), "ms"),
        seen("the stop's own COMMIT, median", statistics.median(found["commit"]), "ms"),
    ]
    return Result(figures, found)


def faults(folder: Path, count: int = 204) -> Result:
    """Both terms at the same time: most of it is waiting."""
    running = []
    for term in TERMS:
        place = folder / f"term-{term:g}"
        place.mkdir()
        arguments = ["--folder", str(place), "--term", str(term), "--count", str(count // len(TERMS))]
        running.append(_start(["bench.faults", *arguments]))
    outcomes: list[dict[str, Any]] = []
    for process in running:
        outcomes += [json.loads(line) for line in _output(process).splitlines()]
    figures = [at_least("faults injected", len(outcomes), 200, "faults")]
    for term in TERMS:
        of_term = [outcome for outcome in outcomes if outcome["term"] == term]
        kinds = sorted({outcome["fault"] for outcome in of_term})
        late = sum(outcome["late"] for outcome in of_term)
        figures.append(
            at_most(f"orders allowed after the bound, L = {term:g} s, {len(kinds)} kinds", late, 0, "orders")
        )
        early = sum(outcome["early"] for outcome in of_term)
        figures.append(
            at_most(f"orders allowed after the process's own proof, L = {term:g} s", early, 0, "orders")
        )
        for kind in kinds:
            worst = max(outcome["last_order"] for outcome in of_term if outcome["fault"] == kind)
            figures.append(seen(f"  L = {term:g} s, {kind}: last order", 1000 * worst, "ms"))
    if not any("wall clock" in outcome["fault"] for outcome in outcomes):
        figures.append(Figure("wall clock stepped", "", "not possible here: no C compiler"))
    return Result(figures, outcomes)


def check(folder: Path) -> Result:
    with Rig(folder, term=2.0) as rig:
        found = _json(["bench.check"], rig.client_environ())
    ours = found["is_trading_allowed"]
    figures = [
        seen("floor: attribute + monotonic clock + comparison", found["floor"], "ns"),
        seen("is_trading_allowed()", ours, "ns"),
        at_most("is_trading_allowed(), times the floor", ours / found["floor"], 2.5, "×"),
        at_least("UnleashClient.is_enabled, times ours", found["UnleashClient"] / ours, 50, "×"),
        at_least("LaunchDarkly variation with test data, times ours", found["LaunchDarkly"] / ours, 50, "×"),
    ]
    return Result(figures, found)


def streams(folder: Path) -> Result:
    found = _json(["bench.streams", "--folder", str(folder)])
    each = (found["bytes_all"] - found["bytes_first"]) / (found["streams"] - 1) / 1024
    p99 = percentile(found["delivered"], 0.99)
    figures = [
        at_most(
            f"web process with {found['streams']} streams: memory of each beyond the first", each, 64, "KiB"
        ),
        at_most(f"stop delivered to {found['streams']} streams, p99", p99, 250, "ms"),
        seen(
            f"stop delivered to {found['streams']} streams, median",
            statistics.median(found["delivered"]),
            "ms",
        ),
    ]
    return Result(figures, found)


def start(folder: Path) -> Result:
    found = _json(["bench.start", "--folder", str(folder)])
    figures = [
        seen("first start of script/server", found["first_s"], "s"),
        at_most("second start of script/server: ready", found["second_s"], 8, "s"),
        at_most("idle console, PSS of all its processes", found["pss_mib"], 600, "MiB"),
    ]
    return Result(figures, found)


KILL_SWITCH_PARTS: dict[str, Callable[[Path], Result]] = {
    "propagation": propagation,
    "faults": faults,
    "check": check,
    "streams": streams,
    "start": start,
}
PARTS = KILL_SWITCH_PARTS | ALERT_PARTS | METRIC_PARTS | BREAKER_PARTS | HEALTH_PARTS


def run(name: str) -> Result:
    """One part, in a folder of its own that is removed afterwards. Raises RuntimeError when a measurement
    fails.
    """
    with tempfile.TemporaryDirectory(prefix=f"opsconsole-bench-{name}-") as folder:
        # PostgreSQL runs as another user when we are root, and has to get in.
        Path(folder).chmod(0o755)
        return PARTS[name](Path(folder))


def _json(module: list[str], environ: dict[str, str] | None = None) -> Any:
    return json.loads(_output(_start(module, environ)))


def _start(module: list[str], environ: dict[str, str] | None = None) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env=os.environ | (environ or {}),
        stdout=subprocess.PIPE,
        text=True,
    )


def _output(process: "subprocess.Popen[str]") -> str:
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(
            f"{process.args!r} ended with exit code {process.returncode}; its message stands above"
        )
    return output
