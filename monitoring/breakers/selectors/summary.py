"""Breakers over all processes that are there: how each is, in one row."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Count, Max, Min, Q, QuerySet, Sum, Value, When

from monitoring.breakers import opening
from monitoring.breakers.choices import STATES, UNKNOWN, State
from monitoring.breakers.models import BreakerState, CircuitBreaker
from monitoring.breakers.presence import present
from monitoring.breakers.tuning import settings_of
from monitoring.day import this_week, today


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


def states(*, now: datetime) -> dict[str, str]:
    """The state of each by its name, UNKNOWN included. One query."""
    return dict(_summed(now).values_list("name", "worst"))


def counts(*, now: datetime) -> dict[str, int]:
    """How many breakers are in which state, UNKNOWN included."""
    return tallied(states(now=now))


def tallied(states: Mapping[str, str]) -> dict[str, int]:
    return dict.fromkeys([*(str(state) for state in STATES), UNKNOWN], 0) | Counter(states.values())


def breaker(name: str, *, now: datetime) -> BreakerView:
    """Raises CircuitBreaker.DoesNotExist."""
    (view,) = _views([_summed(now).get(name=name)], now=now)
    return view


def of(ids: Sequence[int], *, now: datetime) -> list[BreakerView]:
    """These breakers, in this order; those that are gone meanwhile are left out."""
    rows = {row.pk: row for row in _summed(now).filter(pk__in=ids)}
    return _views([rows[pk] for pk in ids if pk in rows], now=now)


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
