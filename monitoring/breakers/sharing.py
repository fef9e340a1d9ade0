"""A breaker that is shared: when enough processes are open, all are, and one of them probes. Pure: no database, no clock of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from monitoring.breakers.choices import State, Why
from monitoring.breakers.tuning import LONGEST_S

# Who has the lease to probe has so long to come to a result.
TERM_S = 10.0
# Who may not probe asks again after so long, at most.
RETRY_S = 1.0
# Where neither the console nor the process says how long to stay open.
USUAL_OPEN_S = 60.0
TIMES_AS_LONG = 10
MOST_DOUBLINGS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """`state` None: it was never open for all. `until`: the end of its open time; `openings`: since it was closed last.

    `prober`: the instance that holds the lease, until `probe_until`.
    """

    state: State | None = None
    generation: int = 0
    until: datetime | None = None
    openings: int = 0
    prober: str = ""
    probe_until: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state in {State.OPEN, State.HALF_OPEN}


@dataclass(frozen=True, slots=True)
class Lease:
    """Whether the asker may probe: with so many calls, for so long; or when it may ask again."""

    granted: bool
    permits: int = 0
    term_s: float = 0.0
    retry_s: float = 0.0


def opened(shared: Shared, *, config: Mapping[str, Any], now: datetime) -> Shared:
    """Open for all, anew: results from before count no more."""
    openings = shared.openings + 1
    until = now + timedelta(seconds=open_seconds(config, openings))
    return Shared(state=State.OPEN, generation=shared.generation + 1, until=until, openings=openings)


def closed(shared: Shared) -> Shared:
    return Shared(state=State.CLOSED, generation=shared.generation)


def lease(shared: Shared, *, instance: str, permits: int, now: datetime) -> tuple[Shared, Lease]:
    """Whoever asks first after the open time probes; the same asks again and has it still; another, when its term is over."""
    if not shared.is_open:
        return shared, Lease(granted=False, retry_s=RETRY_S)
    if shared.until is not None and now < shared.until:
        return shared, Lease(granted=False, retry_s=(shared.until - now).total_seconds())
    if shared.state == State.HALF_OPEN and shared.probe_until is not None and now < shared.probe_until:
        left = (shared.probe_until - now).total_seconds()
        if shared.prober != instance:
            return shared, Lease(granted=False, retry_s=min(RETRY_S, left))
        return shared, Lease(granted=True, permits=permits, term_s=left)
    probing = replace(
        shared,
        state=State.HALF_OPEN,
        prober=instance,
        probe_until=now + timedelta(seconds=TERM_S),
    )
    return probing, Lease(granted=True, permits=permits, term_s=TERM_S)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a report adds: why its changes of state were, in their order, and whether enough processes are open by now."""

    instance: str
    whys: tuple[str, ...]
    enough: bool


def after_report(shared: Shared, evidence: Evidence, *, config: Mapping[str, Any], now: datetime) -> Shared:
    """Closed by probes that succeeded, whoever made them (without the console each process probes for itself); open again by those that
    failed in the hands of who held the lease; open at first by a quorum.
    """
    if not shared.is_open:
        return opened(shared, config=config, now=now) if evidence.enough else shared
    # Those that are open now are so because all are: once it is closed for all, they are no new quorum.
    for why in evidence.whys:
        if shared.is_open and why == Why.PROBES_SUCCEEDED:
            shared = closed(shared)
        elif (
            shared.state == State.HALF_OPEN and why == Why.PROBE_FAILED and shared.prober == evidence.instance
        ):
            shared = opened(shared, config=config, now=now)
    return shared


def open_seconds(config: Mapping[str, Any], openings: int) -> float:
    """The open time of the `openings`-th opening in a row (from 1), as the client reckons it; without jitter, as it is one time for all."""
    first = _number(config, "timeout_seconds") or USUAL_OPEN_S
    longest = _number(config, "max_timeout_seconds") or TIMES_AS_LONG * first
    growth = max(1.0, _number(config, "timeout_multiplier")) ** min(openings - 1, MOST_DOUBLINGS)
    return min(first * growth, longest, LONGEST_S)


def permits(config: Mapping[str, Any]) -> int:
    """How many probes may be under way."""
    return int(_number(config, "permitted_calls_in_half_open") or _number(config, "success_threshold") or 1)


def _number(config: Mapping[str, Any], name: str) -> float:
    """0 where it is none."""
    value = config.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        return 0.0
    return max(0.0, float(value))
