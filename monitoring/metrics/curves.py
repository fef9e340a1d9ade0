"""A small chart that the server draws: one line, its limit, and moments. It needs no script, so it stands in live parts and beside alerts. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from monitoring.metrics.cells import Cell
from monitoring.metrics.reading import Line
from monitoring.metrics.units import shown
from monitoring.metrics.values import STALE

# Of the height, above the highest and below the lowest.
ROOM = 0.08
# Labels nearer to each other than this would overlap. Percent of the height.
APART = 16.0
TABLE_ROWS = 12


@dataclass(frozen=True, slots=True)
class Sign:
    """A moment, or a stretch of time, on the axis. `kind`: stop, drill or raised. `end` None: a moment, or it goes on (`lasts`)."""

    kind: str
    label: str
    at: datetime
    end: datetime | None = None
    lasts: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A sign on the axis, in percent of the width. `anchor`: where its label begins or ends."""

    sign: Sign
    x: str
    width: str
    anchor: str
    labelled: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """`values`: one for each of `times`, None for a gap; each holds for `step`, the last one until `now`. `zero`: the axis includes 0.

    `lows`, `highs`: the lowest and the highest within each step, for a band behind the line; empty: there is none.
    """

    name: str
    unit: str
    times: Sequence[datetime]
    step: timedelta
    values: Sequence[float | None]
    now: datetime
    limit: float | None = None
    limit_name: str = "Limit"
    lows: Sequence[float | None] = ()
    highs: Sequence[float | None] = ()
    signs: Sequence[Sign] = ()
    zero: bool = False
    _span: tuple[float, float] = field(init=False)

    def __post_init__(self) -> None:
        numbers = self._all()
        numbers += [self.limit] if self.limit is not None else []
        numbers += [0.0] if self.zero or not numbers else []
        low, high = min(numbers), max(numbers)
        room = (high - low) * ROOM or abs(high) * ROOM or 1.0
        object.__setattr__(self, "_span", (low - room, high + room))

    @property
    def known(self) -> bool:
        return any(value is not None for value in self.values)

    @property
    def start(self) -> datetime:
        return self.times[0]

    @property
    def end(self) -> datetime:
        return self.times[-1] + self.step

    @property
    def until(self) -> datetime:
        """The last step may be under way."""
        return min(self.end, self.now)

    @property
    def path(self) -> str:
        """In a drawing of 100 by 100: a line for each stretch without a gap."""
        words, pen = [], "M"
        for place, value in enumerate(self.values):
            if value is None:
                pen = "M"
                continue
            words.append(f"{pen}{self._x(place)} {self._y(value)}")
            pen = "L"
        return " ".join(words)

    @property
    def band(self) -> list[tuple[str, str, str]]:
        """A stroke for each step that knows more than one value: x, top and bottom, in percent."""
        return [
            (self._x(place), self._y(high), self._y(low))
            for place, (low, high) in enumerate(zip(self.lows, self.highs, strict=True))
            if low is not None and high is not None and low < high
        ]

    @property
    def dots(self) -> list[tuple[str, str]]:
        """Values between two gaps, which have no line, and the newest."""
        last = max((place for place, value in enumerate(self.values) if value is not None), default=None)
        around = [None, *self.values, None]
        return [
            (self._x(place), self._y(value))
            for place, value in enumerate(self.values)
            if value is not None and (place == last or (around[place] is None and around[place + 2] is None))
        ]

    @property
    def limit_y(self) -> str:
        return "" if self.limit is None else self._y(self.limit)

    @property
    def limit_text(self) -> str:
        return f"{self.limit_name} {shown(self.limit, self.unit)}"

    @property
    def zero_y(self) -> str:
        """Empty when 0 is not on the axis."""
        low, high = self._span
        return self._y(0.0) if low <= 0 <= high else ""

    @property
    def zero_labelled(self) -> bool:
        return bool(self.zero_y) and (
            self.limit is None or abs(float(self.zero_y) - float(self.limit_y)) > APART
        )

    @property
    def zero_text(self) -> str:
        return shown(0.0, self.unit).partition(".")[0] if self.unit == "usd" else shown(0.0, self.unit)

    @property
    def placed(self) -> list[Placed]:
        """The signs within the axis; the newest has a label."""
        inside = [sign for sign in self.signs if sign.at < self.end and (self._end_of(sign) > self.start)]
        return [
            self._placed(sign, labelled=number == len(inside)) for number, sign in enumerate(inside, start=1)
        ]

    @property
    def rows(self) -> list[tuple[datetime, str, str]]:
        """TABLE_ROWS rows at most, newest first: since when, the newest value that there is, and from the lowest to the highest."""
        each = -(-len(self.times) // TABLE_ROWS)
        found = []
        for first in range(0, len(self.times), each):
            last = [value for value in self.values[first : first + each] if value is not None]
            span = self._all(first, first + each)
            words = f"{shown(min(span), self.unit)} to {shown(max(span), self.unit)}" if span else "unknown"
            found.append((self.times[first], shown(last[-1], self.unit) if last else "unknown", words))
        return found[::-1]

    @property
    def said(self) -> str:
        """The chart in words."""
        known = [value for value in self.values if value is not None]
        if not known:
            return f"{self.name}: nothing is known of this time."
        low, high = shown(min(self._all()), self.unit), shown(max(self._all()), self.unit)
        words = f"{self.name} from {_clock(self.start)} to {_clock(self.until)}: lowest {low}, highest {high}, last {shown(known[-1], self.unit)}."
        limit = f" {self.limit_text}." if self.limit is not None else ""
        return words + limit + "".join(f" {placed.sign.label}." for placed in self.placed)

    def _all(self, first: int = 0, last: int | None = None) -> list[float]:
        """Every number of these steps."""
        parts = (self.values, self.lows, self.highs)
        return [value for part in parts for value in part[first:last] if value is not None]

    def _placed(self, sign: Sign, *, labelled: bool) -> Placed:
        left = self._across(sign.at)
        width = self._across(self._end_of(sign)) - left
        return Placed(sign, f"{left:.2f}", f"{width:.2f}", "end" if left > 50 else "start", labelled)

    def _end_of(self, sign: Sign) -> datetime:
        if sign.end is not None:
            return sign.end
        return self.end if sign.lasts else sign.at + timedelta(microseconds=1)

    def _across(self, at: datetime) -> float:
        return 100 * min(1.0, max(0.0, (at - self.start) / (self.end - self.start)))

    def _x(self, place: int) -> str:
        """In the middle of its step, for it may have come at any moment of it."""
        return f"{100 * (place + 0.5) / len(self.times):.2f}"

    def _y(self, value: float) -> str:
        low, high = self._span
        return f"{100 * (high - value) / (high - low):.2f}"


def together(
    lines: Sequence[Line],
    combine: Callable[[list[float]], float],
    *,
    step: timedelta,
    every: bool,
    number: Callable[[Cell], float | None] = lambda cell: cell.last,
) -> list[float | None]:
    """Several gauges as one line, as `values.together` has it for now: who is silent keeps their last value for STALE, and is unknown afterwards.

    `number`: of a step's cell. `every`: each is needed then, as in a sum, so that there is a gap; else the others go on.
    """
    patience = max(1, STALE // step)
    newest: dict[int, tuple[int, float]] = {}
    found: list[float | None] = []
    for place in range(max((len(line.cells) for line in lines), default=0)):
        now = {index: cell for index, line in enumerate(lines) if (cell := line.cells[place]) is not None}
        newest |= {index: (place, cell.last) for index, cell in now.items() if cell.last is not None}
        heard = {index: value for index, (at, value) in newest.items() if place - at <= patience}
        here = {index: value for index, cell in now.items() if (value := number(cell)) is not None}
        fresh = list((heard | here).values())
        missing = every and len(fresh) < len(newest)
        found.append(None if missing or not fresh else combine(fresh))
    return found


def _clock(at: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M}"
