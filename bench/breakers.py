"""The parts of `script/bench breakers` that need the client alone: each measures in processes of its own."""

from collections.abc import Callable
from pathlib import Path

from bench.alerts import json_of
from bench.breaker_console import CONSOLE_PARTS
from bench.breakers_correct import FAILURES, PERMITS, REJECTIONS, TASKS, THREADS
from bench.breakers_overhead import BY_CALL, OURS, overheads
from bench.breakers_steps import STEPS
from bench.figures import Figure, at_least, at_most, seen
from bench.fleet import WallShift
from bench.result import Result

PEER, WINDOWED = "circuitbreaker", "interlock-cb"
LIMITS = {"sync closed": 0.5, "async closed": 0.6, "sync open": 1.0, "async open": 1.0}
GROWTH_KB = 64.0


def breakers_overhead(_folder: Path) -> Result:
    """What a guarded call costs, beside five other libraries."""
    found = json_of(["bench.breakers_overhead"])
    figures: list[Figure] = []
    for case, costs in overheads(found).items():
        what = "overhead" if case.endswith("closed") else "total"
        figures += [seen(f"{case}: {name}, {what}", spent, "ns") for name, spent in costs.items()]
        figures += [
            at_most(f"{case}: {name}, times {PEER}", costs[name] / costs[PEER], LIMITS[case], "×")
            for name in (OURS, BY_CALL)
            if name in costs
        ]
        if case.endswith("closed"):
            figures.append(
                at_least(f"{case}: {WINDOWED}, times {OURS}", costs[WINDOWED] / costs[OURS], 15, "×")
            )
    return Result(figures, found)


def breakers_correct(folder: Path) -> Result:
    """What others get wrong."""
    found = json_of(["bench.breakers_correct"], WallShift(folder / "wall").environ(folder))
    right = {
        "after 20 cancelled": "CLOSED",
        "after the fifth failure": "OPEN",
        "after a cancelled probe": "HALF_OPEN",
        "after the next": "CLOSED",
    }
    figures = [
        _is(f"half-open, {PERMITS} permits: let in of {TASKS} tasks", found["tasks"], PERMITS),
        _is(f"half-open, {PERMITS} permits: let in of {THREADS} threads", found["threads"], PERMITS),
        _is("4 failures, 20 cancelled calls, a failure, a cancelled probe", found["cancellations"], right),
        _is("HALF_OPEN, then a success from before the trip", found["stale"], "HALF_OPEN"),
        _is("4 failures, an ignored exception, a failure", found["ignored"], "OPEN"),
        _wall_clock(found["wall_clock"]),
        _is(f"counted of {FAILURES:,} failures of 8 threads", found["counted"], FAILURES),
        at_most(f"growth over {REJECTIONS:,} rejections", found["grown"] / 1024, GROWTH_KB, "KiB"),
    ]
    return Result(figures, found)


def breakers_steps(_folder: Path) -> Result:
    """A disagreement with the model ends the measurement."""
    found = json_of(["bench.breakers_steps"])
    return Result(
        [at_least("random steps without a disagreement with the model", found["steps"], STEPS, "")], found
    )


def _wall_clock(found: list[str] | None) -> Figure:
    name = "OPEN, then the wall clock a day on, a day back"
    if found is None:
        return Figure(name, "", "not possible here: no C compiler")
    return _is(name, found, ["OPEN", "OPEN"])


def _is(name: str, found: object, right: object) -> Figure:
    return Figure(name, _told(right), _told(found), found == right)


def _told(value: object) -> str:
    if isinstance(value, dict):
        value = list(value.values())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


BREAKER_PARTS: dict[str, Callable[[Path], Result]] = {
    "breakers-overhead": breakers_overhead,
    "breakers-correct": breakers_correct,
    "breakers-steps": breakers_steps,
    **CONSOLE_PARTS,
}
