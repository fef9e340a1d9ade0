"""Single processes: those that are there, what each says of a breaker, and who is missed."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from monitoring.breakers import opening
from monitoring.breakers.choices import STATES
from monitoring.breakers.models import BreakerProcess, BreakerState
from monitoring.breakers.presence import present


@dataclass(frozen=True, slots=True)
class Failing:
    """`known`: whether anybody has ever reported it. `longest`: what has not been closed for longest; `lost`: a process that is missed."""

    known: bool
    longest: BreakerState | None
    lost: BreakerState | None


def processes(breaker_id: int, *, now: datetime, gone: bool = False) -> list[BreakerState]:
    """What each process that is there says (each with its `process` and that one's `stream`), the worst first. `gone`: also those that are not."""
    rows = BreakerState.objects.filter(breaker_id=breaker_id).select_related("process__stream")
    if not gone:
        rows = rows.filter(present(now, "process__"))
    order = {str(state): number for number, state in enumerate(STATES)}
    return sorted(rows, key=lambda row: (order[row.state], row.process.name, row.process_id))


def present_processes(*, now: datetime) -> int:
    """How many processes are there, whatever breakers they have."""
    return BreakerProcess.objects.filter(present(now)).count()


def failing(*, now: datetime, name: str = "", client: str = "") -> Failing:
    """What of this breaker (empty: any) is not closed of its own accord, in this client (empty: any): for triggers."""
    rows = BreakerState.objects.all()
    if name:
        rows = rows.filter(breaker__name=name)
    if client:
        rows = rows.filter(process__name=client)
    there = present(now, "process__")
    not_closed = rows.filter(forced="", failing_since__isnull=False).select_related("process", "breaker")
    longest = not_closed.filter(there).order_by("failing_since", "pk").first()
    # It went without saying goodbye, and nobody of its name has come after it.
    heirs = BreakerState.objects.filter(there).values("process__name")
    lost = not_closed.filter(process__stream__isnull=False, process__stream__left_at=None).exclude(
        there | Q(process__name__in=heirs)
    )
    newest = (
        lost.filter(process__reported_at__gt=now - opening.MISSED).order_by("-process__reported_at").first()
    )
    return Failing(known=rows.exists(), longest=longest, lost=newest)
