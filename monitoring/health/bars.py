"""The last 90 days as bars: how high one is says how bad the day's worst status was, how much of it is coloured for how long. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from monitoring.health.choices import Status
from monitoring.health.selectors import Day
from monitoring.health.wording import WORDS, counted

# Of the drawing, in which a day is 1 wide.
HEIGHT = 28
# Where a bar begins, from the top: so that it can be read without colours, too.
TOPS = {Status.UNHEALTHY: 0, Status.DEGRADED: 8, Status.HEALTHY: 16, Status.UNKNOWN: 16}
# Of a bar's height: what is worst is seen however short it was.
LEAST = 0.4
ABNORMAL = (Status.UNHEALTHY, Status.DEGRADED)
# Of a day, of which nothing is known: less, as while the console was restarted, is not told of in a list.
SLIGHT = 0.01


@dataclass(frozen=True, slots=True)
class Bar:
    """One day, or days in a row on which nothing was the matter. `base`, `mark`: paths; `kind`: of the mark."""

    title: str
    kind: str
    base: str
    mark: str


@dataclass(frozen=True, slots=True)
class Bars:
    """`days`: oldest first, today included."""

    days: Sequence[Day]

    @property
    def together(self) -> list[Bar]:
        """Healthy days in a row as one, so that a list with many components stays small."""
        found: list[Bar] = []
        for calm, run in groupby(enumerate(self.days), key=lambda pair: _is_calm(pair[1])):
            numbered = list(run)
            if calm:
                paths = "".join(_base(number, Status.HEALTHY) for number, _ in numbered)
                found.append(Bar(f"{_span([day for _, day in numbered])}: healthy", "healthy", paths, ""))
            else:
                found += [_bar(number, day) for number, day in numbered if day_known(day)]
        return found

    @property
    def each(self) -> list[Bar]:
        return [_bar(number, day) for number, day in enumerate(self.days)]

    @property
    def not_calm(self) -> list[Day]:
        """The newest first: days on which something is known to have been the matter."""
        return [day for day in reversed(self.days) if kind_of(day) in ABNORMAL]

    @property
    def healthy(self) -> str:
        """`99.98%` of the time of which something is known, never rounded up; empty when nothing is."""
        well = sum(day.seconds[Status.HEALTHY] for day in self.days)
        known = sum(sum(day.seconds.values()) - day.seconds[Status.UNKNOWN] for day in self.days)
        return percent(well / known) if known else ""

    @property
    def words(self) -> str:
        """The drawing in words."""
        kinds = [kind_of(day) for day in self.days if day_known(day)]
        parts = [
            f"{counted(number, 'day')} {WORDS[status].lower()}"
            for status in (*ABNORMAL, Status.HEALTHY, Status.UNKNOWN)
            if (number := kinds.count(status))
        ]
        if missing := len(self.days) - len(kinds):
            parts.append(f"{counted(missing, 'day')} without a check")
        return f"Last {len(self.days)} days by their worst status: {', '.join(parts)}"


def kind_of(day: Day) -> Status:
    """The worst status of a day, whatever its share; a day of which less than half is known is unknown, unless that half is bad."""
    for status in ABNORMAL:
        if day.seconds[status] > 0:
            return status
    return Status.HEALTHY if day.seconds[Status.HEALTHY] > day.seconds[Status.UNKNOWN] else Status.UNKNOWN


def day_known(day: Day) -> bool:
    """Whether it was looked at, or ought to have been, on that day."""
    return any(day.seconds.values())


def shares(day: Day) -> Iterator[tuple[Status, float, timedelta]]:
    """Each status that the day had, the worst first, with its share and for how long."""
    whole = sum(day.seconds.values())
    for status in (*ABNORMAL, Status.UNKNOWN, Status.HEALTHY):
        if seconds := day.seconds[status]:
            yield status, seconds / whole, timedelta(seconds=seconds)


def percent(share: float) -> str:
    """Never rounded up to all, nor down to nothing."""
    if share >= 1:
        return "100%"
    hundredths = int(share * 10_000)
    return f"{hundredths / 100:g}%" if hundredths else "under 0.01%"


def title_of(day: Day) -> str:
    """`24 Nov: unhealthy 0.2%, healthy 99.8%`."""
    if not day_known(day):
        return f"{_short(day.day)}: not looked at"
    parts = [f"{WORDS[status].lower()} {percent(share)}" for status, share, _ in shares(day)]
    return f"{_short(day.day)}: {', '.join(parts)}"


def _is_calm(day: Day) -> bool:
    unknown = day.seconds[Status.UNKNOWN]
    return kind_of(day) == Status.HEALTHY and unknown < SLIGHT * sum(day.seconds.values())


def _bar(number: int, day: Day) -> Bar:
    kind = kind_of(day)
    if not day_known(day):
        return Bar(title_of(day), "none", "", f"M{number}.5 {HEIGHT}v-2")
    if kind not in ABNORMAL:
        path = _base(number, kind)
        is_healthy = kind == Status.HEALTHY
        return Bar(title_of(day), str(kind), path if is_healthy else "", "" if is_healthy else path)
    top = TOPS[kind]
    share = day.seconds[kind] / sum(day.seconds.values())
    length = max(LEAST, share) * (HEIGHT - top)
    mark = f"M{number}.5 {top}v{length:.1f}"
    return Bar(title_of(day), str(kind), f"M{number}.5 {HEIGHT}V{top + length:.1f}", mark)


def _base(number: int, kind: Status) -> str:
    return f"M{number}.5 {HEIGHT}V{TOPS[kind]}"


def _span(days: Sequence[Day]) -> str:
    first, last = days[0].day, days[-1].day
    return _short(first) if first == last else f"{_short(first)} to {_short(last)}"


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"
