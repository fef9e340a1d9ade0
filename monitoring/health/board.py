"""What the pages show of components in lists: how many are abnormal, one as a row, the worst first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from monitoring.health import responses, selectors
from monitoring.health.bars import Bars
from monitoring.health.choices import TARGETS, Kind, Status
from monitoring.health.models import INTERVALS, HealthComponent
from monitoring.health.selectors import ORDER, Component
from monitoring.health.state import worst
from monitoring.health.wording import ICONS, TONES, WORDS, counted
from monitoring.metrics.curves import Curve
from monitoring.metrics.units import shown
from opsconsole.live.badges import Badge

# The order of lists. SILENT: nobody has looked at it in time. IDLE: there is nothing to look at, or it is switched off.
UNHEALTHY, DEGRADED, SILENT, IDLE, CALM = range(5)
STATUSES = {
    UNHEALTHY: Status.UNHEALTHY,
    DEGRADED: Status.DEGRADED,
    SILENT: Status.UNKNOWN,
    CALM: Status.HEALTHY,
}
# Rows of the overview's card; the rest is counted.
GLANCE_ROWS = 5
WHAT: Mapping[str, Sequence[Kind]] = {
    "console": [kind for kind in Kind if kind not in (*TARGETS, Kind.CLIENT)],
    "clients": [Kind.CLIENT],
    "targets": list(TARGETS),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many components there are of each rank. `status`: of the whole."""

    unhealthy: int = 0
    degraded: int = 0
    silent: int = 0
    idle: int = 0
    calm: int = 0
    status: Status = Status.UNKNOWN

    @property
    def total(self) -> int:
        return self.abnormal + self.idle + self.calm

    @property
    def abnormal(self) -> int:
        return self.unhealthy + self.degraded + self.silent

    @property
    def badge(self) -> Badge:
        whole = f"{counted(self.abnormal, 'component')} abnormal"
        return Badge(self.abnormal, "abnormal", whole, bad=self.unhealthy > 0)

    @property
    def words(self) -> str:
        """The answer of a head: `2 of 14 abnormal`."""
        if not self.total:
            return "nothing is looked at"
        if self.abnormal:
            return f"{self.abnormal:,} of {self.total:,} abnormal"
        if not self.calm:
            return f"{self.idle:,} not looked at"
        well = f"all {self.calm:,} healthy" if self.calm > 1 else "healthy"
        return f"{well}, {self.idle:,} not looked at" if self.idle else well

    @property
    def word(self) -> str:
        return WORDS[self.status]

    @property
    def icon(self) -> str:
        return ICONS[self.status][0]

    @property
    def filled(self) -> bool:
        return ICONS[self.status][1]

    @property
    def tone(self) -> str:
        return TONES.get(self.status, "oc-warn" if self.silent else "")

    @property
    def kinds(self) -> str:
        """`1 unhealthy, 1 degraded`."""
        parts = [(self.unhealthy, "unhealthy"), (self.degraded, "degraded"), (self.silent, "unknown")]
        return ", ".join(f"{number:,} {word}" for number, word in parts if number)


@dataclass(frozen=True, slots=True)
class Row:
    """One component as lists and heads show it. `bars`, `curve`: where they are asked for, and there is anything to draw."""

    component: Component
    bars: Bars | None = None
    curve: Curve | None = None
    # The worst of its list, which alone is tinted.
    worst: bool = False

    @property
    def rank(self) -> int:
        if self.component.status == Status.UNKNOWN:
            return SILENT if self.component.stale else IDLE
        return {status: rank for rank, status in STATUSES.items()}[self.component.status]

    @property
    def calm(self) -> bool:
        return self.rank in (CALM, IDLE)

    @property
    def word(self) -> str:
        return WORDS[self.component.status]

    @property
    def icon(self) -> str:
        return ICONS[self.component.status][0]

    @property
    def filled(self) -> bool:
        return ICONS[self.component.status][1]

    @property
    def tone(self) -> str:
        if self.component.status == Status.UNKNOWN:
            return "oc-warn" if self.component.stale else "oc-muted"
        return TONES.get(self.component.status, "")

    @property
    def since(self) -> datetime | None:
        """Since when it has this status; what nobody looks at is unknown since its last result stopped counting."""
        row = self.component.row
        if self.component.stale:
            return row.good_until() or row.due_at
        return row.since

    @property
    def lasts(self) -> timedelta | None:
        return None if self.since is None else self.component.now - self.since

    @property
    def response(self) -> str:
        """Empty where nothing is asked."""
        value = self.component.row.response_ms
        return "" if value is None else shown(value, responses.UNIT)

    @property
    def answers(self) -> str:
        """The small curve in words."""
        values = [value for value in self.curve.values if value is not None] if self.curve else []
        if not values:
            return ""
        return f"Response time of the last day: highest {shown(max(values), responses.UNIT)}"


@dataclass(frozen=True, slots=True)
class Page:
    """`after`: pass it for the rows that follow; empty on the last page."""

    rows: list[Row]
    after: str


@dataclass(frozen=True, slots=True)
class Glance:
    """The overview's card: the first of what is abnormal, and everything counted."""

    rows: list[Row]
    tally: Tally

    @property
    def hidden(self) -> int:
        """Abnormal ones that have no row here."""
        return self.tally.abnormal - len(self.rows)


def tally(*, now: datetime) -> Tally:
    """One query, however many there are."""
    counts = dict.fromkeys(range(5), 0)
    weights: list[Status] = []
    found = _ranked(now).order_by().values_list("rank", "essential").annotate(Count("pk"))
    for rank, essential, number in found:
        counts[rank] += number
        if rank != IDLE:
            status = STATUSES[rank]
            weights.append(Status.DEGRADED if status == Status.UNHEALTHY and not essential else status)
    return Tally(
        unhealthy=counts[UNHEALTHY],
        degraded=counts[DEGRADED],
        silent=counts[SILENT],
        idle=counts[IDLE],
        calm=counts[CALM],
        status=worst(weights),
    )


def glance(*, now: datetime) -> Glance:
    """Two queries at most."""
    counted = tally(now=now)
    rows: list[Row] = []
    if counted.abnormal:
        first = _ranked(now).filter(rank__lte=SILENT).order_by("rank", "place", "name")[:GLANCE_ROWS]
        rows = _rows([selectors.one(row, now=now) for row in first])
    return Glance(rows, counted)


def listed(
    *, now: datetime, status: str = "", what: str = "", search: str = "", limit: int, after: str = ""
) -> Page:
    """The worst first, then in the order of `selectors`. `status`: one, or `abnormal`; `what`: a key of WHAT. Four queries at most."""
    found = _ranked(now)
    if search:
        found = found.filter(Q(name__icontains=search) | Q(slug__icontains=search))
    if what:
        found = found.filter(kind__in=WHAT[what])
    if status == "abnormal":
        found = found.filter(rank__lte=SILENT)
    elif status:
        found = found.filter(rank__in=_ranks(Status(status)))
    if after:
        rank, place, name = after.split("-", 2)
        here = Q(rank=int(rank)) & (Q(place__gt=int(place)) | Q(place=int(place), name__gt=name))
        found = found.filter(Q(rank__gt=int(rank)) | here)
    rows = list(found.order_by("rank", "place", "name")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    following = f"{rows[-1].rank}-{rows[-1].place}-{rows[-1].name}" if more else ""
    components = [selectors.one(row, now=now) for row in rows]
    days = selectors.days([row.pk for row in rows], now=now)
    curves = responses.small([row.slug for row in rows if row.response_ms is not None], now=now)
    drawn = {row.pk: (Bars(days[row.pk]), curves.get(row.slug)) for row in rows}
    return Page(_rows(components, drawn), following)


def _rows(
    components: Sequence[Component], drawn: "dict[int, tuple[Bars, Curve | None]] | None" = None
) -> list[Row]:
    found = []
    for number, component in enumerate(components):
        bars, curve = (drawn or {}).get(component.row.pk, (None, None))
        tinted = number == 0 and component.status == Status.UNHEALTHY
        found.append(Row(component, bars, curve, worst=tinted))
    return found


def _ranks(status: Status) -> list[int]:
    if status == Status.UNKNOWN:
        return [SILENT, IDLE]
    return [rank for rank, other in STATUSES.items() if other == status]


def _ranked(now: datetime) -> "QuerySet[Any]":
    """Each that is not retired with its `rank` and `place` in lists: as `Row.rank` has it, but by the database."""
    patience = ExpressionWrapper(
        F("interval_seconds") * Value(timedelta(seconds=INTERVALS)), output_field=DurationField()
    )
    until = ExpressionWrapper(Coalesce("checked_at", "due_at") + patience, output_field=DateTimeField())
    kinds = [When(kind=kind, then=Value(place)) for kind, place in ORDER.items()]
    return (
        HealthComponent.objects.filter(retired_at=None)
        .annotate(until=until)
        .annotate(
            rank=Case(
                When(enabled=False, then=Value(IDLE)),
                When(until__lt=now, then=Value(SILENT)),
                When(checked_at=None, then=Value(IDLE)),
                When(status=Status.UNHEALTHY, then=Value(UNHEALTHY)),
                When(status=Status.DEGRADED, then=Value(DEGRADED)),
                When(status=Status.HEALTHY, then=Value(CALM)),
                default=Value(IDLE),
                output_field=IntegerField(),
            ),
            place=Case(*kinds, default=Value(len(kinds)), output_field=IntegerField()),
        )
    )
