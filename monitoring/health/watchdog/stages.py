"""How far the canary comes, and what is dead when it does not. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models

# Between two canaries.
EVERY = timedelta(seconds=60)
# Of a stage that every canary passes: two of them are lost.
LATE = 2 * EVERY
# Beat ticks every few seconds. Less than what a worker is given beyond one canary, so that a dead beat is not taken for a dead worker.
BEAT_LATE = timedelta(seconds=45)


class Stage(models.TextChoices):
    """In the canary's order."""

    BEAT = "beat", "Beat"
    WORKER = "worker", "Worker"
    OUTBOX = "outbox", "Outbox"
    OUTSIDE = "outside", "Address outside"


class StageStatus(models.TextChoices):
    PASSED = "passed"
    LATE = "late"
    # Nothing has come by since the console was started, and it is not late yet.
    WAITING = "waiting"
    # No address is set.
    OFF = "off"


Times = Mapping[Stage, datetime | None]


@dataclass(frozen=True, slots=True)
class Passing:
    """One stage at `now`. `at`: when the newest sign of it was, ever; None: there was none."""

    stage: Stage
    status: StageStatus
    at: datetime | None
    now: datetime

    @property
    def age(self) -> timedelta | None:
        return None if self.at is None else max(timedelta(0), self.now - self.at)

    @property
    def limit(self) -> timedelta:
        return limit_of(self.stage)


def limit_of(stage: Stage) -> timedelta:
    return BEAT_LATE if stage == Stage.BEAT else LATE


def judge(times: Times, *, now: datetime, began: datetime, outside: bool) -> list[Passing]:
    """Every stage in its order. `began`: of the process that looks, since nothing is late before it could have come by.

    `outside`: whether there is an address.
    """
    found = []
    for stage in Stage:
        at = times.get(stage)
        if stage == Stage.OUTSIDE and not outside:
            status = StageStatus.OFF
        elif now - max(at or began, began) > limit_of(stage):
            status = StageStatus.LATE
        else:
            status = StageStatus.PASSED if at is not None and at >= began - LATE else StageStatus.WAITING
        found.append(Passing(stage, status, at, now))
    return found


def first_late(passings: list[Passing]) -> Passing | None:
    """What is dead: later stages are late because it is."""
    return next((passing for passing in passings if passing.status == StageStatus.LATE), None)
