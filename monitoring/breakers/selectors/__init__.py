"""Reads of the breakers, as pages and API show them."""

from monitoring.breakers.selectors.history import (
    Progress,
    TransitionPage,
    commands,
    progress,
    transitions,
)
from monitoring.breakers.selectors.names import nearest
from monitoring.breakers.selectors.processes import Failing, failing, present_processes, processes
from monitoring.breakers.selectors.summary import (
    BreakerView,
    Counted,
    Held,
    LastFailure,
    SharedState,
    ViewPage,
    breaker,
    counts,
    held_of,
    of,
    overview,
    shared_of,
    states,
    tallied,
)

__all__ = [
    "BreakerView",
    "Counted",
    "Failing",
    "Held",
    "LastFailure",
    "Progress",
    "SharedState",
    "TransitionPage",
    "ViewPage",
    "breaker",
    "commands",
    "counts",
    "failing",
    "held_of",
    "nearest",
    "of",
    "overview",
    "present_processes",
    "processes",
    "progress",
    "shared_of",
    "states",
    "tallied",
    "transitions",
]
