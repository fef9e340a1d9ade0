"""A breaker's states on a time axis, as the server draws them: for any process, so that the worst of them shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from monitoring.breakers import opening
from monitoring.breakers.choices import CommandKind, State
from monitoring.breakers.models import BreakerCommand
from monitoring.breakers.opening import Stretch
from monitoring.day import Span

RANGES = {"24h": timedelta(hours=24), "7d": timedelta(days=7)}
USUAL = "24h"
# Stretches that are drawn of each state, and rows of the table: the newest.
DRAWN = 400
TABLE_ROWS = 20
# Percent of the width: what is shorter could not be seen.
LEAST = 0.35
MARKED = (CommandKind.RESET, CommandKind.RESET_ALL, CommandKind.FORCE_OPEN, CommandKind.FORCE_CLOSE)
MOST_MARKS = 20


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch on the axis, in percent of the width. `kind`: known, half or open."""

    kind: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A label below the axis. `anchor`: how its text stands to it."""

    x: str
    label: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """`bands` in the order in which they are painted; `openings`: the newest first; `more`: there were more than are drawn."""

    name: str
    span: Span
    now: datetime
    bands: Sequence[Band]
    ticks: Sequence[Tick]
    marks: Sequence[str]
    openings: Sequence[Stretch]
    more: bool
    open_for: timedelta

    @property
    def rows(self) -> Sequence[Stretch]:
        return self.openings[:TABLE_ROWS]

    @property
    def words(self) -> str:
        """The chart in words."""
        if not self.openings:
            return "never open"
        number = len(self.openings)
        return f"open {'once' if number == 1 else f'{number:,} times'}{' or more' if self.more else ''}"


def drawn(breaker_id: int, *, span: str, now: datetime) -> Timeline:
    """Of the last 24 hours or 7 days. Five queries."""
    axis = Span(now - RANGES[span], now)
    open_ = opening.stretches([breaker_id], axis, now=now, limit=DRAWN)
    half = opening.stretches([breaker_id], axis, now=now, limit=DRAWN, state=State.HALF_OPEN)
    known = opening.known(breaker_id, axis, now=now)
    seconds = opening.seconds([breaker_id], [axis], now=now)[breaker_id][0]
    told = BreakerCommand.objects.filter(
        Q(breaker=breaker_id) | Q(breaker=None), kind__in=MARKED, at__gte=axis.start
    )
    marks = told.order_by("-id").values_list("at", flat=True)[:MOST_MARKS]
    kinds = (("known", known), ("half", half), ("open", open_))
    return Timeline(
        name=span,
        span=axis,
        now=now,
        bands=[_band(kind, one, axis) for kind, found in kinds for one in found],
        ticks=_ticks(axis),
        marks=[_percent(at, axis) for at in marks],
        openings=open_[::-1],
        more=len(open_) == DRAWN,
        open_for=timedelta(seconds=seconds),
    )


def _band(kind: str, stretch: Stretch, axis: Span) -> Band:
    left = _across(stretch.start, axis)
    width = max(LEAST, _across(stretch.end or axis.end, axis) - left)
    return Band(kind, f"{min(left, 100 - width):.2f}", f"{width:.2f}")


def _ticks(axis: Span) -> list[Tick]:
    """Each midnight of a week, or each sixth hour of a day, in the desk's zone; none so near to the end that it would stick out."""
    whole_days = axis.end - axis.start > timedelta(days=1)
    at = timezone.localtime(axis.start).replace(minute=0, second=0, microsecond=0)
    found = []
    while (at := at + timedelta(hours=1)).timestamp() < axis.end.timestamp():
        at = timezone.localtime(at)
        if at.hour % (24 if whole_days else 6) == 0:
            label = f"{at:%a}" if whole_days else f"{at:%H:%M}"
            place = _across(at, axis)
            if place < 97:
                found.append(Tick(f"{place:.2f}", label, "start" if place < 3 else "middle"))
    return found


def _percent(at: datetime, axis: Span) -> str:
    return f"{_across(at, axis):.2f}"


def _across(at: datetime, axis: Span) -> float:
    return 100 * min(1.0, max(0.0, (at - axis.start) / (axis.end - axis.start)))
