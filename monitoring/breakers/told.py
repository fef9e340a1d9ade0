"""How far operators' commands have come, as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q

from monitoring.breakers.choices import CommandKind
from monitoring.breakers.models import BreakerApplied, BreakerCommand, BreakerProcess
from monitoring.breakers.presence import present
from monitoring.breakers.wording import DONE, ICONS

# How long a command that is done stays in the head of a page.
FRESH = timedelta(minutes=10)
# Names of processes that have not applied it; the rest is counted.
NAMED = 5


@dataclass(frozen=True, slots=True)
class Told:
    """One command. `applied`: how many `of` the processes that were there then; `waiting`: names of those that have not and are still there.

    `gone`: those that have not, and are not there any more. `last`: when the last of them had said so; None while not all have.
    """

    command: BreakerCommand
    applied: int
    of: int
    waiting: Sequence[str]
    gone: int
    last: datetime | None

    @property
    def did(self) -> str:
        return DONE[CommandKind(self.command.kind)]

    @property
    def icon(self) -> str:
        return ICONS[CommandKind(self.command.kind)]

    @property
    def complete(self) -> bool:
        return not self.waiting

    @property
    def words(self) -> str:
        """`applied by 3 of 4, IBM has not yet`."""
        if not self.of:
            return "no process was there to apply it"
        if self.applied == self.of:
            return f"applied by all {self.of:,}" if self.of > 1 else "applied by the one process"
        return f"applied by {self.applied:,} of {self.of:,}{self._missing}"

    @property
    def _missing(self) -> str:
        named = ", ".join(self.waiting[:NAMED])
        more = len(self.waiting) - NAMED
        waits = f"{named}{f' and {more:,} more' if more > 0 else ''}"
        parts = [f"{waits} {'has' if len(self.waiting) == 1 else 'have'} not yet"] if self.waiting else []
        parts += [f"{self.gone:,} {'has' if self.gone == 1 else 'have'} gone"] if self.gone else []
        return f", {'; '.join(parts)}" if parts else ""


def history(breaker_id: int, *, now: datetime, limit: int) -> list[Told]:
    """The newest that this breaker was told, those to all included. Three queries."""
    return _read(Q(breaker_id=breaker_id) | Q(breaker=None), now=now, limit=limit)


def newest_to_all(*, now: datetime) -> Told | None:
    """The last *reset all*, while it is fresh or under way."""
    found = _read(Q(breaker=None), now=now, limit=1)
    return found[0] if found and is_fresh(found[0], now=now) else None


def is_fresh(told: Told, *, now: datetime) -> bool:
    return not told.complete or now - told.command.at < FRESH


def _read(wanted: Q, *, now: datetime, limit: int) -> list[Told]:
    counted = BreakerCommand.objects.filter(wanted).annotate(
        of=Count("processes"),
        applied=Count("processes", filter=Q(processes__at__isnull=False)),
        last=Max("processes__at"),
    )
    rows = list(counted.order_by("-id")[:limit])
    waiting: dict[int, list[str]] = {}
    missing: dict[int, int] = {}
    open_ = [row.pk for row in rows if row.applied < row.of]
    if open_:
        there = set(BreakerProcess.objects.filter(present(now)).values_list("instance", flat=True))
        left = BreakerApplied.objects.filter(command__in=open_, at=None).order_by("client", "pk")
        for pk, client, instance in left.values_list("command", "client", "instance"):
            if instance in there:
                waiting.setdefault(pk, []).append(client)
            else:
                missing[pk] = missing.get(pk, 0) + 1
    return [
        Told(
            row,
            row.applied,
            row.of,
            waiting.get(row.pk, []),
            missing.get(row.pk, 0),
            row.last if row.applied == row.of else None,
        )
        for row in rows
    ]
