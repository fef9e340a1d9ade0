"""From results to a status. Pure: no database, no clock.

One lost check is none: a status gets worse after `failures` results in a row that are worse, and better after `recoveries` that are better.
"""

from dataclasses import dataclass, replace

from monitoring.health.choices import Status

# Runs are counted no further.
LONGEST_RUN = 1000
# From the best to the worst.
RANKS = {Status.HEALTHY: 0, Status.UNKNOWN: 1, Status.DEGRADED: 2, Status.UNHEALTHY: 3}


@dataclass(frozen=True, slots=True)
class Rule:
    """How many results in a row it takes."""

    failures: int = 2
    recoveries: int = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """A status, and the runs of results that lead to the next.

    `well`: so many healthy results in a row; negative: so many that were not. `up`: likewise of results that were not unhealthy.
    """

    status: Status = Status.UNKNOWN
    well: int = 0
    up: int = 0


def judge(standing: Standing, result: Status, rule: Rule) -> Standing:
    """The standing after one more result. An unknown result says that there is nothing to tell, so it counts at once and ends all runs."""
    if result == Status.UNKNOWN:
        return Standing()
    counted = replace(
        standing,
        well=_run(standing.well, result == Status.HEALTHY),
        up=_run(standing.up, result != Status.UNHEALTHY),
    )
    return replace(counted, status=_status(counted, rule))


def in_doubt(standing: Standing, result: Status) -> bool:
    """Whether more results like this one would change the status: then the next look is due sooner."""
    return result != standing.status


def worst(statuses: "list[Status]") -> Status:
    """Of several, the one that counts. Nothing at all is unknown."""
    return max(statuses, key=RANKS.__getitem__, default=Status.UNKNOWN)


def _status(counted: Standing, rule: Rule) -> Status:
    if -counted.up >= rule.failures:
        return Status.UNHEALTHY
    # What nothing was known of takes no patience to be well.
    recoveries = 1 if counted.status == Status.UNKNOWN else rule.recoveries
    if counted.well >= recoveries:
        return Status.HEALTHY
    if counted.status == Status.UNHEALTHY:
        return Status.DEGRADED if counted.up >= rule.recoveries else Status.UNHEALTHY
    return Status.DEGRADED if -counted.well >= rule.failures else counted.status


def _run(before: int, goes_on: bool) -> int:
    run = max(before, 0) + 1 if goes_on else min(before, 0) - 1
    return max(-LONGEST_RUN, min(run, LONGEST_RUN))
