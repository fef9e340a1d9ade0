"""Reads of the breakers, as pages and API show them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from django.db.models import Case, CharField, Count, Max, Min, Prefetch, Q, QuerySet, Sum, Value, When

from monitoring.breakers import opening
from monitoring.breakers.choices import STATES, UNKNOWN, State
from monitoring.breakers.models import (
    BreakerApplied,
    BreakerCommand,
    BreakerProcess,
    BreakerState,
    BreakerTransition,
    CircuitBreaker,
)
from monitoring.breakers.presence import present
from monitoring.breakers.tuning import settings_of
from monitoring.day import this_week, today

NEAREST = 5
# How much two names must have in common, from 0 to 1: a forgotten half is still near.
LIKENESS = 0.45


@dataclass(frozen=True, slots=True)
class Counted:
    """How many of the processes that are there are in which state."""

    open: int
    half_open: int
    closed: int

    @property
    def total(self) -> int:
        return self.open + self.half_open + self.closed


@dataclass(frozen=True, slots=True)
class Held:
    """What an operator holds a breaker to. `until` None: until it is released."""

    state: str
    reason: str
    by: str
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class SharedState:
    """What all processes are told to be, with a quorum. `until`: the end of its open time."""

    state: str
    generation: int
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class LastFailure:
    """The newest failure of all processes that are there."""

    type: str
    text: str
    at: datetime
    client: str


@dataclass(frozen=True, slots=True)
class BreakerView:
    """One breaker over all processes that are there.

    `state`: the worst of theirs, UNKNOWN when none is there; then `last_state` is what the last one said, at `reported_at`. `since`: of the state;
    `failing_since`: since when it is not closed, whatever was tried meanwhile. Rates are the worst process's, in percent; counts are sums, of
    the processes' whole lives. Seconds in OPEN: while it was open in any process, of the trading day and its week.
    """

    id: int
    name: str
    state: str
    last_state: str
    since: datetime | None
    failing_since: datetime | None
    reported_at: datetime | None
    processes: Counted
    held: Held | None
    shared: SharedState | None
    quorum: int
    failure_rate: float | None
    slow_rate: float | None
    calls: int
    success: int
    failure: int
    slow: int
    ignored: int
    rejected: int
    open_today_s: float
    open_week_s: float
    last_failure: LastFailure | None
    settings: dict[str, float]
    version: int

    @property
    def stale(self) -> bool:
        return self.state == UNKNOWN


@dataclass(frozen=True, slots=True)
class ViewPage:
    """`next_name`: pass it as `after` for the next page; None on the last one."""

    results: list[BreakerView]
    next_name: str | None


@dataclass(frozen=True, slots=True)
class TransitionPage:
    """`next_id`: pass it as `before_id` for older ones; None on the last page."""

    results: list[BreakerTransition]
    next_id: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command has come: `applied` of `of` processes. `waiting`: who has not."""

    applied: int
    of: int
    waiting: list[str]


def overview(
    *, now: datetime, state: str = "", search: str = "", limit: int | None = None, after: str = ""
) -> ViewPage:
    """Breakers by name, in five queries however many there are. `state`: only those in it (or UNKNOWN); `search`: part of the name."""
    rows = _summed(now)
    if state:
        rows = rows.filter(worst=state)
    if search:
        rows = rows.filter(name__icontains=search)
    if after:
        rows = rows.filter(name__gt=after)
    found = list(rows if limit is None else rows[: limit + 1])
    more = limit is not None and len(found) > limit
    found = found[:limit]
    return ViewPage(_views(found, now=now), found[-1].name if more else None)


def counts(*, now: datetime) -> dict[str, int]:
    """How many breakers are in which state, UNKNOWN included."""
    found = dict.fromkeys([*(str(state) for state in STATES), UNKNOWN], 0)
    for worst in _summed(now).values_list("worst", flat=True):
        found[worst] += 1
    return found


def breaker(name: str, *, now: datetime) -> BreakerView:
    """Raises CircuitBreaker.DoesNotExist."""
    (view,) = _views([_summed(now).get(name=name)], now=now)
    return view


def of(ids: Sequence[int], *, now: datetime) -> list[BreakerView]:
    """These breakers, in this order; those that are gone meanwhile are left out."""
    rows = {row.pk: row for row in _summed(now).filter(pk__in=ids)}
    return _views([rows[pk] for pk in ids if pk in rows], now=now)


def nearest(name: str) -> list[str]:
    """Names like this one, the nearest first."""
    known = {known.casefold(): known for known in CircuitBreaker.objects.values_list("name", flat=True)}
    return [known[found] for found in get_close_matches(name.casefold(), known, n=NEAREST, cutoff=LIKENESS)]


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


def transitions(
    *,
    breaker_id: int | None = None,
    limit: int = 50,
    before_id: int | None = None,
    to: str = "",
    client: str = "",
    search: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> TransitionPage:
    """The newest by their own times, with their `breaker`. `search`: part of the client's name, or of the cause.

    An unknown `before_id` begins at the newest.
    """
    rows = BreakerTransition.objects.select_related("breaker").order_by("-at", "-id")
    wanted = {"breaker_id": breaker_id, "at__gte": since, "at__lt": until}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    if to:
        rows = rows.filter(to_state=to)
    if client:
        rows = rows.filter(client=client)
    if search:
        said = Q(cause_type__icontains=search) | Q(cause_text__icontains=search)
        rows = rows.filter(Q(client__icontains=search) | said)
    if before_id is not None:
        at = BreakerTransition.objects.filter(pk=before_id).values_list("at", flat=True).first()
        rows = rows if at is None else rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=before_id))
    found = list(rows[: limit + 1])
    return TransitionPage(found[:limit], found[limit - 1].pk if len(found) > limit else None)


def commands(breaker_id: int | None = None, *, limit: int = 10) -> list[BreakerCommand]:
    """The newest that this breaker (None: any) was told, those to all included, with their `processes`."""
    rows = BreakerCommand.objects.select_related("breaker").order_by("-id")
    if breaker_id is not None:
        rows = rows.filter(Q(breaker_id=breaker_id) | Q(breaker=None))
    told = Prefetch("processes", queryset=BreakerApplied.objects.order_by("client", "pk"))
    return list(rows.prefetch_related(told)[:limit])


def progress(command_id: int) -> Progress:
    rows = list(BreakerApplied.objects.filter(command_id=command_id).order_by("client", "pk"))
    waiting = [row.client for row in rows if row.at is None]
    return Progress(applied=len(rows) - len(waiting), of=len(rows), waiting=waiting)


def failing(*, now: datetime, name: str = "", client: str = "") -> "Failing":
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


@dataclass(frozen=True, slots=True)
class Failing:
    """`known`: whether anybody has ever reported it. `longest`: what has not been closed for longest; `lost`: a process that is missed."""

    known: bool
    longest: BreakerState | None
    lost: BreakerState | None


def _summed(now: datetime) -> "QuerySet[Any]":
    """All breakers with their sums over the processes that are there; `worst` is the state."""
    there = present(now, "states__process__")

    def of(state: State) -> Q:
        return there & Q(states__state=state)

    sums: dict[str, Any] = {
        name: Sum(f"states__{name}", filter=there)
        for name in ("success", "failure", "slow", "ignored", "rejected", "calls")
    }
    return (
        CircuitBreaker.objects.annotate(
            in_open=Count("states", filter=of(State.OPEN)),
            in_half_open=Count("states", filter=of(State.HALF_OPEN)),
            in_closed=Count("states", filter=of(State.CLOSED)),
            open_since=Min("states__since", filter=of(State.OPEN)),
            half_open_since=Min("states__since", filter=of(State.HALF_OPEN)),
            closed_since=Max("states__since", filter=of(State.CLOSED)),
            not_closed_since=Min("states__failing_since", filter=there),
            newest_report=Max("states__reported_at"),
            worst_failure_rate=Max("states__failure_rate", filter=there),
            worst_slow_rate=Max("states__slow_rate", filter=there),
            **{f"sum_{name}": found for name, found in sums.items()},
        )
        .annotate(
            worst=Case(
                When(in_open__gt=0, then=Value(str(State.OPEN))),
                When(in_half_open__gt=0, then=Value(str(State.HALF_OPEN))),
                When(in_closed__gt=0, then=Value(str(State.CLOSED))),
                default=Value(UNKNOWN),
                output_field=CharField(),
            )
        )
        .order_by("name")
    )


def _views(rows: Sequence[Any], *, now: datetime) -> list[BreakerView]:
    ids = [row.pk for row in rows]
    day, week = today(now), this_week(now)
    seconds = opening.seconds(ids, [day, week], now=now)
    failures = _last_failures(ids, now=now)
    last = _last_states([row.pk for row in rows if row.worst == UNKNOWN])
    return [
        BreakerView(
            id=row.pk,
            name=row.name,
            state=row.worst,
            last_state=last.get(row.pk, "") if row.worst == UNKNOWN else row.worst,
            since={
                State.OPEN: row.open_since,
                State.HALF_OPEN: row.half_open_since,
                State.CLOSED: row.closed_since,
            }.get(row.worst),
            failing_since=row.not_closed_since,
            reported_at=row.newest_report,
            processes=Counted(row.in_open, row.in_half_open, row.in_closed),
            held=held_of(row, now=now),
            shared=shared_of(row),
            quorum=row.quorum,
            failure_rate=row.worst_failure_rate,
            slow_rate=row.worst_slow_rate,
            calls=row.sum_calls or 0,
            success=row.sum_success or 0,
            failure=row.sum_failure or 0,
            slow=row.sum_slow or 0,
            ignored=row.sum_ignored or 0,
            rejected=row.sum_rejected or 0,
            open_today_s=seconds[row.pk][0],
            open_week_s=seconds[row.pk][1],
            last_failure=failures.get(row.pk),
            settings=settings_of(row),
            version=row.version,
        )
        for row in rows
    ]


def held_of(row: CircuitBreaker, *, now: datetime) -> Held | None:
    """None also when its time is over: beat notes that a little later."""
    if not row.hold or row.hold_at is None or (row.hold_until is not None and row.hold_until <= now):
        return None
    return Held(row.hold, row.hold_reason, row.hold_by, row.hold_at, row.hold_until)


def shared_of(row: CircuitBreaker) -> SharedState | None:
    if not row.shared or row.shared_at is None:
        return None
    return SharedState(row.shared, row.shared_generation, row.shared_at, row.shared_until)


def _last_failures(ids: Iterable[int], *, now: datetime) -> Mapping[int, LastFailure]:
    rows = (
        BreakerState.objects.filter(present(now, "process__"), breaker__in=ids, failure_at__isnull=False)
        .order_by("breaker_id", "-failure_at", "-pk")
        .distinct("breaker_id")
        .values_list("breaker_id", "failure_type", "failure_text", "failure_at", "process__name")
    )
    return {pk: LastFailure(kind, text, at, client) for pk, kind, text, at, client in rows if at is not None}


def _last_states(ids: Sequence[int]) -> dict[int, str]:
    if not ids:
        return {}
    rows = BreakerState.objects.filter(breaker__in=ids).order_by("breaker_id", "-reported_at", "-pk")
    return dict(rows.distinct("breaker_id").values_list("breaker_id", "state"))
