"""Reads of the watchdog: where the canary was last, and those that have flown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from monitoring.health.checks.pulses import BEAT
from monitoring.health.models import Pulse
from monitoring.health.pulsing import began_at
from monitoring.health.watchdog import calling
from monitoring.health.watchdog.models import Canary, Watch
from monitoring.health.watchdog.stages import Passing, Stage, StageStatus, Times, first_late, judge

# Older canaries say nothing about now.
LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Watched:
    """All stages at `now`. `host`: of the address outside; empty: none is set."""

    now: datetime
    passings: Sequence[Passing]
    late: Passing | None
    host: str

    @property
    def waiting(self) -> bool:
        """Whether something has not come by since the start, and is not late yet."""
        return any(passing.status == StageStatus.WAITING for passing in self.passings)

    @property
    def words(self) -> str:
        """The answer in one sentence."""
        if self.late is not None:
            return f"{self.late.stage.label} is dead"
        if self.waiting:
            return "Waiting for the first canary"
        if not self.host:
            return "Comes through, but nobody outside waits for it"
        return "Comes through"


def watched(*, now: datetime | None = None, began: datetime | None = None) -> Watched:
    """Two queries. `began`: of this process, unless given: nothing is late before it could have come by."""
    moment = now or timezone.now()
    passings = judge(times(now=moment), now=moment, began=began or began_at(), outside=calling.is_set())
    return Watched(moment, passings, first_late(passings), calling.host())


def times(*, now: datetime) -> Times:
    """The newest sign of each stage."""
    found = Canary.objects.filter(worker_at__gt=now - LATELY).aggregate(
        worker=Max("worker_at"), outbox=Max("outbox_at"), outside=Max("answered_at")
    )
    return {
        Stage.BEAT: Pulse.objects.filter(name=BEAT).values_list("at", flat=True).first(),
        Stage.WORKER: found["worker"],
        Stage.OUTBOX: found["outbox"],
        Stage.OUTSIDE: found["outside"],
    }


def told() -> Watch | None:
    """What whoever watches has found, in one cheap read."""
    return Watch.objects.filter(pk=1).first()


def canaries(*, limit: int, before_id: int | None = None) -> list[Canary]:
    """The newest. Pages by `before_id`: smaller ids."""
    rows = Canary.objects.order_by("-id")
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return list(rows[:limit])


def as_json(found: Watched) -> dict[str, object]:
    """For /monitoring/system/info. The address outside is a secret; whether there is one is not."""
    return {
        "address_set": bool(found.host),
        "dead": found.late and str(found.late.stage),
        "stages": [
            {
                "stage": str(passing.stage),
                "status": str(passing.status),
                "last_passed": passing.at and passing.at.isoformat().replace("+00:00", "Z"),
                "age_seconds": None if passing.age is None else round(passing.age.total_seconds(), 1),
                "late_after_seconds": passing.limit.total_seconds(),
            }
            for passing in found.passings
        ],
    }
