"""What the pages show of breakers in lists: how many are not closed, one as a row, what is abnormal first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable

from monitoring.breakers import selectors
from monitoring.breakers.choices import UNKNOWN, Hold, State
from monitoring.breakers.models import BreakerState, BreakerTransition, CircuitBreaker
from monitoring.breakers.presence import present
from monitoring.breakers.selectors import BreakerView
from monitoring.breakers.wording import because
from opsconsole.live.badges import Badge

# The order of lists: open of its own accord, forced open, half-open, forced closed, not heard of, closed.
OPEN, FORCED, HALF_OPEN, HELD, SILENT, CALM = range(6)
RANKS = {
    State.OPEN: [OPEN, FORCED],
    State.HALF_OPEN: [HALF_OPEN],
    State.CLOSED: [HELD, CALM],
    UNKNOWN: [SILENT],
}
# Rows of the overview's card; the rest is counted.
GLANCE_ROWS = 5

ICONS = {
    State.OPEN: ("octagon", True),
    State.HALF_OPEN: ("circle-half-2", False),
    State.CLOSED: ("circle-check", False),
    UNKNOWN: ("help-circle", False),
}
WORDS = {State.OPEN: "OPEN", State.HALF_OPEN: "HALF-OPEN", State.CLOSED: "CLOSED", UNKNOWN: "UNKNOWN"}
TONES: dict[str, str] = {State.OPEN: "oc-bad", State.HALF_OPEN: "oc-warn"}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many breakers there are of each kind. `open`: of their own accord; `held`: forced closed, or about to be forced.

    `silent`: no process reports them.
    """

    open: int = 0
    forced_open: int = 0
    half_open: int = 0
    held: int = 0
    silent: int = 0
    calm: int = 0

    @property
    def total(self) -> int:
        return self.not_closed + self.held + self.silent + self.calm

    @property
    def not_closed(self) -> int:
        return self.open + self.forced_open + self.half_open

    @property
    def abnormal(self) -> int:
        return self.not_closed + self.held

    @property
    def badge(self) -> Badge:
        several = "breaker" if self.not_closed == 1 else "breakers"
        return Badge(
            self.not_closed, "not closed", f"{self.not_closed:,} {several} not closed", bad=self.open > 0
        )

    @property
    def words(self) -> str:
        """The answer of a head: `2 of 12 not closed, 1 forced closed`."""
        if not self.total:
            return "none yet"
        parts = [f"{self.not_closed:,} of {self.total:,} not closed"] if self.not_closed else []
        parts += [f"{self.held:,} forced closed"] if self.held else []
        parts += [f"{self.silent:,} unknown"] if self.silent else []
        if not parts:
            return f"all {self.total:,} closed" if self.total > 1 else "closed"
        return ", ".join(parts if self.not_closed or not self.calm else [f"{self.calm:,} closed", *parts])


@dataclass(frozen=True, slots=True)
class Row:
    """One breaker as lists and heads show it, at `now`. `opening`: the newest change to OPEN, of any process."""

    view: BreakerView
    now: datetime
    opening: BreakerTransition | None = None
    # The worst of its list, which alone is tinted.
    worst: bool = False

    @property
    def forced(self) -> bool:
        """An operator's word is what it does."""
        return self.view.held is not None and self.view.held.state == self.view.state

    @property
    def word(self) -> str:
        return f"FORCED {WORDS[self.view.state]}" if self.forced else WORDS[self.view.state]

    @property
    def icon(self) -> str:
        return "lock" if self.forced else ICONS[self.view.state][0]

    @property
    def filled(self) -> bool:
        return not self.forced and ICONS[self.view.state][1]

    @property
    def calm(self) -> bool:
        """Closed, and nobody holds it."""
        return self.view.state == State.CLOSED and self.view.held is None

    @property
    def tone(self) -> str:
        if self.view.held is not None and self.view.state == State.CLOSED:
            return "oc-warn"
        if self.view.stale and self.view.last_state not in ("", State.CLOSED):
            return "oc-warn"
        return TONES.get(self.view.state, "oc-muted" if self.view.stale else "")

    @property
    def where(self) -> str:
        """`in 3 of 4 processes`; empty when it is so in all of them."""
        counted = self.view.processes
        here = {State.OPEN: counted.open, State.HALF_OPEN: counted.half_open, State.CLOSED: counted.closed}
        number = here.get(State(self.view.state), 0) if not self.view.stale else 0
        return f"in {number:,} of {counted.total:,} processes" if number != counted.total else ""

    @property
    def cause(self) -> str:
        """Why it opened, while it is not closed of its own accord."""
        if self.opening is None or self.view.state not in (State.OPEN, State.HALF_OPEN) or self.forced:
            return ""
        return because(self.opening)

    @property
    def rate(self) -> str:
        return rate_words(self.view.failure_rate, self.view.calls)

    @property
    def open_today(self) -> timedelta:
        return timedelta(seconds=self.view.open_today_s)

    @property
    def open_week(self) -> timedelta:
        return timedelta(seconds=self.view.open_week_s)

    @property
    def lasts(self) -> timedelta | None:
        return None if self.view.since is None else self.now - self.view.since


@dataclass(frozen=True, slots=True)
class Page:
    """`after`: pass it for the rows that follow; empty on the last page."""

    rows: list[Row]
    after: str


def rate_words(rate: float | None, calls: int) -> str:
    """`12.5%`; a rate below the minimum of calls is unknown, and says why."""
    if rate is None:
        return "unknown, too few calls" if calls else "no calls"
    return f"{rate:.1f}%".replace(".0%", "%")


def tally(*, now: datetime) -> Tally:
    """One query."""
    found = dict(_ranked(now).values_list("rank").annotate(Count("pk")).order_by())
    return Tally(*(found.get(rank, 0) for rank in range(CALM + 1)))


def listed(*, now: datetime, kind: str = "", search: str = "", limit: int, after: str = "") -> Page:
    """What is abnormal first, then by name. `kind`: a state, UNKNOWN, FORCED or ABNORMAL; `after`: of the page before."""
    rows = _ranked(now)
    if search:
        rows = rows.filter(name__icontains=search)
    if kind == "FORCED":
        rows = rows.filter(_held(now))
    elif kind == "ABNORMAL":
        rows = rows.filter(rank__lte=HELD)
    elif kind:
        rows = rows.filter(rank__in=RANKS[kind])
    if after:
        rank, _, name = after.partition("-")
        rows = rows.filter(Q(rank__gt=int(rank)) | Q(rank=int(rank), name__gt=name))
    found = list(rows.order_by("rank", "name").values_list("pk", "rank", "name")[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    return Page(
        rows_of([pk for pk, _, _ in found], now=now),
        f"{found[-1][1]}-{found[-1][2]}" if more else "",
    )


def rows_of(ids: Sequence[int], *, now: datetime) -> list[Row]:
    """Seven queries, however many there are."""
    views = selectors.of(ids, now=now)
    openings = _openings([view.id for view in views if view.state in (State.OPEN, State.HALF_OPEN)])
    return [
        Row(
            view,
            now,
            openings.get(view.id),
            worst=number == 0 and view.state == State.OPEN and view.held is None,
        )
        for number, view in enumerate(views)
    ]


def row(view: BreakerView, *, now: datetime) -> Row:
    return Row(view, now, _openings([view.id]).get(view.id))


@dataclass(frozen=True, slots=True)
class Glance:
    """The overview's card: the first of what is not closed or forced, and everything counted."""

    rows: list[Row]
    tally: Tally

    @property
    def hidden(self) -> int:
        """Abnormal ones that have no row here."""
        return self.tally.abnormal - len(self.rows)


def glance(*, now: datetime) -> Glance:
    """Nine queries, however many there are."""
    counted = tally(now=now)
    rows = listed(now=now, kind="ABNORMAL", limit=GLANCE_ROWS).rows if counted.abnormal else []
    return Glance(rows, counted)


def _ranked(now: datetime) -> "QuerySet[Any]":
    """Each with its `rank` in lists. Only what is not closed is looked at process by process."""
    there = BreakerState.objects.filter(present(now, "process__"), breaker=OuterRef("pk"))
    return CircuitBreaker.objects.annotate(
        rank=Case(
            When(Q(hold=Hold.OPEN) & _held(now) & Exists(there.filter(state=State.OPEN)), then=Value(FORCED)),
            When(Exists(there.filter(state=State.OPEN)), then=Value(OPEN)),
            When(Exists(there.filter(state=State.HALF_OPEN)), then=Value(HALF_OPEN)),
            When(_held(now), then=Value(HELD)),
            When(~Exists(there), then=Value(SILENT)),
            default=Value(CALM),
            output_field=IntegerField(),
        )
    )


def _held(now: datetime) -> Q:
    return Q(hold__in=Hold.values) & (Q(hold_until=None) | Q(hold_until__gt=now))


def _openings(ids: Sequence[int]) -> Mapping[int, BreakerTransition]:
    """The newest change to OPEN of each, along the index of its transitions."""
    if not ids:
        return {}
    newest: Combinable = Subquery(
        BreakerTransition.objects.filter(breaker=OuterRef("pk"), to_state=State.OPEN)
        .order_by("-at", "-id")
        .values("pk")[:1]
    )
    pks = CircuitBreaker.objects.filter(pk__in=ids).annotate(opening=newest).values("opening")
    return {found.breaker_id: found for found in BreakerTransition.objects.filter(pk__in=pks)}
