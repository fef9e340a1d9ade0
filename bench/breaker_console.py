"""The parts of `script/bench breakers` that need a console."""

import statistics
from collections.abc import Callable
from pathlib import Path

from bench.alerts import json_of
from bench.breakers_shared import PERMITS, PROCESSES
from bench.figures import Figure, at_most, percentile, seen
from bench.result import Result

THERE = "there"
# Milliseconds. What the console makes of an age is its own time of the transition, but for the way of the report.
OWN_TIME = 100


def breakers_steering(folder: Path) -> Result:
    """An operator's reset, from its commit to the last of 32 processes."""
    found = json_of(["bench.breaker_steering", "--folder", str(folder)])
    applied = found["applied"]
    figures = [
        at_most(
            f"reset committed → in force in 32 processes, p99 of {len(applied)} resets",
            percentile(applied, 0.99),
            100,
            "ms",
        ),
        seen("reset committed → in force in 32 processes, median", statistics.median(applied), "ms"),
        seen("the reset's own COMMIT, median", statistics.median(found["commit"]), "ms"),
    ]
    return Result(figures, found)


def breakers_shared(folder: Path) -> Result:
    """The half-open moment of processes that share a breaker."""
    found = json_of(["bench.breakers_shared", "--folder", str(folder)])
    entered = found["entered"]
    name = f"half-open, {PERMITS} permits: let in of {PROCESSES} processes, shared, {len(entered)} times"
    right = [PERMITS] * len(entered)
    wanted, let_in = (", ".join(map(str, each)) for each in (right, entered))
    return Result([Figure(name, wanted, let_in, entered == right)], found)


def breakers_away(folder: Path) -> Result:
    """Guarded calls, and what is told of them, while the console is not there."""
    found = json_of(["bench.breaker_away", "--folder", str(folder)])
    calls = found.pop("calls")
    usual = percentile(calls[THERE], 0.999)
    figures = [seen(f"guarded call while the console is there, p99.9 of {len(calls[THERE])}", usual, "µs")]
    for what, spent in calls.items():
        if what != THERE:
            more = (percentile(spent, 0.999) - usual) / 1000
            figures.append(at_most(f"guarded call, console {what}: p99.9, so much more", more, 1, "ms"))
    figures += [
        at_most(f"transitions that did not arrive, of {found['made']}", found["lost"], 0, ""),
        at_most(
            "transition: the console's time beside the process' own, worst",
            max(found["late_ms"]),
            OWN_TIME,
            "ms",
        ),
        seen(
            "transition: the console's time beside the process' own, median",
            statistics.median(found["late_ms"]),
            "ms",
        ),
    ]
    return Result(figures, found)


CONSOLE_PARTS: dict[str, Callable[[Path], Result]] = {
    "breakers-shared": breakers_shared,
    "breakers-steering": breakers_steering,
    "breakers-away": breakers_away,
}
