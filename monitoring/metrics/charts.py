"""The charts of a page: lines, marks on the time axis, and a short table for who cannot see them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.db.models import Q

from killswitch.models import Activation
from monitoring.metrics import reading
from monitoring.metrics.catalogue import CATALOGUE, Kind
from monitoring.metrics.cells import Cell, merge, quantile
from monitoring.metrics.panels import ACTIVATIONS, SWITCH, Page, Panel, Query
from monitoring.metrics.rows import EPOCH
from monitoring.metrics.units import shown

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# A chart shows so many lines; of more, those with the largest newest values.
MOST_LINES = 8
TABLE_ROWS = 12
MOST_EPISODES = 50
# Panels that also show how the observations spread.
SPREAD = frozenset({"slippage"})

Number = Callable[[Cell, float], float | None]
Read = Callable[[str, tuple[str, ...] | None], reading.Chart]


@dataclass(frozen=True, slots=True)
class Range:
    """A length of time that pages offer, and its steps: 15 to 300 of them."""

    name: str
    length: timedelta
    step: timedelta


RANGES = {
    found.name: found
    for found in (
        Range("15m", 15 * MINUTE, MINUTE),
        Range("1h", HOUR, MINUTE),
        Range("6h", 6 * HOUR, 2 * MINUTE),
        Range("24h", 24 * HOUR, 5 * MINUTE),
        Range("7d", timedelta(days=7), HOUR),
        Range("30d", timedelta(days=30), 3 * HOUR),
    )
}
USUAL = "1h"


@dataclass(frozen=True, slots=True)
class Grid:
    """The steps of a page's charts; the last one is under way."""

    start: datetime
    end: datetime
    step: timedelta
    now: datetime

    @property
    def times(self) -> list[datetime]:
        return [self.start + self.step * number for number in range((self.end - self.start) // self.step)]

    def seconds(self, at: datetime, *, steps: int = 1) -> float:
        """How much of these steps has gone by."""
        return min(self.step * steps, self.now - at).total_seconds()

    def since(self, at: datetime) -> "Grid":
        """The same steps from the one that `at` lies in."""
        gone = max(0, (at - self.start) // self.step)
        return Grid(min(self.start + gone * self.step, self.end - self.step), self.end, self.step, self.now)


@dataclass(frozen=True, slots=True)
class Track:
    """One line: a cell, or None for a gap, for each step, and what is drawn of it."""

    label: str
    cells: list[Cell | None]
    number: Number

    def numbers(self, grid: Grid) -> list[float | None]:
        return [
            None if cell is None else _rounded(self.number(cell, grid.seconds(at)))
            for cell, at in zip(self.cells, grid.times, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Drawn:
    """`more`: lines that are left out."""

    panel: Panel
    tracks: list[Track]
    more: int


def grid(chosen: Range, *, now: datetime) -> Grid:
    end = EPOCH - (EPOCH - now) // chosen.step * chosen.step
    return Grid(end - chosen.length, end, chosen.step, now)


def draw(page: Page, steps: Grid) -> list[Drawn]:
    """All panels of a page. What several lines are made of is read once."""

    @cache
    def read(name: str, by: tuple[str, ...] | None) -> reading.Chart:
        if by is not None and CATALOGUE[name].kind is Kind.GAUGE:
            return reading.highest(name, by[0], steps.start, steps.end, steps.step)
        return reading.series(name, {}, steps.start, steps.end, steps.step, by=by)

    return [_drawn(panel, steps, read) for panel in page.panels]


def _drawn(panel: Panel, steps: Grid, read: Read) -> Drawn:
    if panel.key in {SWITCH, ACTIVATIONS}:
        return Drawn(panel, [_of_the_switch(panel, steps)], 0)
    tracks = [track for query in panel.queries for track in _tracks(query, read)]
    kept = tracks
    if len(tracks) > MOST_LINES:
        kept = sorted(tracks, key=lambda track: -_weight(track))[:MOST_LINES]
    return Drawn(panel, kept, len(tracks) - len(kept))


def _weight(track: Track) -> float:
    cell = merge(track.cells)
    if cell is None:
        return 0
    return cell.total if cell.last is None else cell.last


def _tracks(query: Query, read: Read) -> list[Track]:
    chart = read(query.name, query.by)
    if query.over:
        return _ratio(chart, read(query.over, query.by), query.label)
    number = _number(query)
    # Who reported it is told only where several did.
    several = len({line.labels.get("client") for line in chart.lines}) > 1
    return [
        Track(
            query.label if query.label and not (several and line.labels) else _label(query, line, several),
            line.cells,
            number,
        )
        for line in chart.lines
    ]


def _label(query: Query, line: reading.Line, several: bool) -> str:
    # A process that is named after its ticker is named once.
    shown = dict.fromkeys(
        value for label, value in line.labels.items() if value and (several or label != "client")
    )
    return " ".join([query.label, *shown] if query.label else shown) or line.labels.get("client", "all")


def _ratio(above: reading.Chart, below: reading.Chart, label: str) -> list[Track]:
    if not above.lines or not below.lines:
        return []
    cells = [
        Cell(cost.total, round(times.total)) if cost and times else None
        for cost, times in zip(above.lines[0].cells, below.lines[0].cells, strict=True)
    ]
    return [Track(label, cells, lambda cell, _: cell.mean)]


def _number(query: Query) -> Number:
    if query.show == "rate":
        return lambda cell, seconds: cell.total / seconds if seconds >= 1 else None
    if query.show == "high":
        return lambda cell, _: cell.high
    if query.show in {"last", "mean"}:
        return lambda cell, _: cell.last if query.show == "last" else cell.mean
    if query.show == "increase":
        return lambda cell, _: cell.total
    share, bounds = int(query.show[1:]) / 100, CATALOGUE[query.name].buckets
    return lambda cell, _: quantile(share, bounds, cell.buckets)


def _rounded(number: float | None) -> float | None:
    """Six digits are more than a chart can show, and less than half to send."""
    return None if number is None else float(f"{number:.6g}")


# The kill switch


def episodes(start: datetime, end: datetime) -> list[Activation]:
    """What was stopped within this time, and drills; the newest ones, in order."""
    found = Activation.objects.filter(Q(ended_at=None) | Q(ended_at__gt=start), activated_at__lt=end)
    return sorted(found.order_by("-id")[:MOST_EPISODES], key=lambda row: row.activated_at)


def _of_the_switch(panel: Panel, steps: Grid) -> Track:
    real = [row for row in episodes(steps.start, steps.end) if not row.drill]
    if panel.key == ACTIVATIONS:
        counts = [sum(at <= row.activated_at < at + steps.step for row in real) for at in steps.times]
        return Track(
            "all", [Cell(count, count) if count else None for count in counts], lambda cell, _: cell.total
        )
    states = [
        float(
            any(
                row.activated_at < at + steps.step and (row.ended_at is None or row.ended_at > at)
                for row in real
            )
        )
        for at in steps.times
    ]
    return Track(
        "stopped",
        [Cell(state, 1, last=state, high=state, low=state) for state in states],
        lambda cell, _: cell.high,
    )


# How observations spread over the buckets


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket. `x`, `y`, `width`, `height`: in percent of the drawing."""

    upto: str
    count: int
    x: float
    y: float
    width: float
    height: float


def spread(item: Drawn) -> list[Bar]:
    """The observations of a histogram's panel over the whole range, bucket by bucket; empty for other panels."""
    cell = merge(item.tracks[0].cells) if item.tracks else None
    if cell is None or not any(cell.buckets) or item.panel.key not in SPREAD:
        return []
    bounds = CATALOGUE[item.panel.queries[0].name].buckets
    words = [*(shown(bound, item.panel.unit) for bound in bounds), "more"]
    width, highest = 100 / len(cell.buckets), max(cell.buckets)
    return [
        Bar(upto, count, number * width, 100 - 100 * count / highest, width * 0.9, 100 * count / highest)
        for number, (upto, count) in enumerate(zip(words, cell.buckets, strict=True))
    ]


# The table


@dataclass(frozen=True, slots=True)
class TableRow:
    """`numbers`: one for each line; None: a gap."""

    at: datetime
    numbers: list[float | None]


def table(tracks: Sequence[Track], steps: Grid) -> list[TableRow]:
    """TABLE_ROWS rows for all the steps, newest first."""
    times = steps.times
    each = -(-len(times) // TABLE_ROWS)
    starts = range(0, len(times), each)
    rows = [
        TableRow(
            times[first],
            [
                _of_several(track, track.cells[first : first + each], steps.seconds(times[first], steps=each))
                for track in tracks
            ],
        )
        for first in starts
    ]
    return rows[::-1]


def _of_several(track: Track, cells: Iterable[Cell | None], seconds: float) -> float | None:
    cell = merge(cells)
    return None if cell is None else track.number(cell, seconds)
