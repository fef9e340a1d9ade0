"""What follows from a report: an opening that is told and in the trail, its end, and what all processes are to do with a quorum."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitoring.breakers import alarms
from monitoring.breakers.choices import State
from monitoring.breakers.locking import COMMANDS, lock_version, set_version
from monitoring.breakers.models import BreakerProcess, BreakerState, CircuitBreaker
from monitoring.breakers.presence import present
from monitoring.breakers.reports import ReportedTransition
from monitoring.breakers.services.shared import shared_of, store
from monitoring.breakers.sharing import Evidence, after_report
from monitoring.breakers.tuning import settings_of
from opsconsole.audit.actor import Actor
from opsconsole.audit.choices import ActorKind
from opsconsole.audit.services import record
from opsconsole.live.publish import publish

SWEEP = Actor.system("circuit breakers")


@dataclass(frozen=True, slots=True)
class Told:
    """A breaker whose state has changed in this report."""

    breaker_id: int
    state: BreakerState
    changes: Sequence[ReportedTransition]


def follow(
    *,
    process: BreakerProcess,
    told: Sequence[Told],
    states: Sequence[BreakerState],
    sent: datetime,
    now: datetime,
) -> None:
    """After the states are written. `states`: all of the report, which was sent at `sent`."""
    by_breaker = {one.breaker_id: one for one in told}
    sharing = [row.breaker_id for row in states if row.breaker.quorum and _concerns_all(row, by_breaker)]
    if not told and not sharing:
        return
    version = lock_version()[0] if sharing else 0
    breakers = _locked({*by_breaker, *sharing})
    if sharing:
        _share(process, states, by_breaker, breakers, set(sharing), version=version, sent=sent, now=now)
    for one in told:
        _note_incident(breakers[one.breaker_id], one, process, now=now)


def close_gone(*, now: datetime) -> int:
    """Of breakers that are not open any more since the processes that were have gone. Returns how many."""
    open_now = CircuitBreaker.objects.filter(opened_at__isnull=False).values_list("pk", flat=True)
    return sum(_close_if_over(one, actor=SWEEP, now=now) for one in _locked(set(open_now)).values())


def _locked(ids: Collection[int]) -> dict[int, CircuitBreaker]:
    rows = CircuitBreaker.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    return {row.pk: row for row in rows}


# Incidents


def _note_incident(breaker: CircuitBreaker, told: Told, process: BreakerProcess, *, now: datetime) -> None:
    """One incident a breaker, whoever is open: from the first of its own accord until nobody is anything but closed."""
    actor = Actor(kind=ActorKind.CLIENT, name=process.name)
    if breaker.opened_at is not None:
        _close_if_over(breaker, actor=actor, now=now)
        return
    if told.state.state != State.OPEN or told.state.forced:
        return
    breaker.opened_at = told.state.failing_since or told.state.since
    breaker.save(update_fields=["opened_at"])
    last = next((change for change in reversed(told.changes) if change.to == State.OPEN), None)
    cause = last.cause if last is not None else None
    words = f"{cause.type}: {cause.text}" if cause else ""
    record(
        actor=actor,
        action="breakers.opened",
        obj=breaker,
        reason=words,
        after={"state": State.OPEN, "since": breaker.opened_at},
        metadata={
            "client": process.name,
            "instance": process.instance,
            "why": last.why if last is not None else None,
        },
        now=now,
    )
    alarms.opened(breaker, client=process.name, words=words, now=now)


def _close_if_over(breaker: CircuitBreaker, *, actor: Actor, now: datetime) -> bool:
    failing = BreakerState.objects.filter(
        present(now, "process__"), breaker=breaker, failing_since__isnull=False, forced=""
    )
    if breaker.opened_at is None or failing.exists():
        return False
    since, breaker.opened_at = breaker.opened_at, None
    breaker.save(update_fields=["opened_at"])
    record(
        actor=actor,
        action="breakers.closed",
        obj=breaker,
        reason="",
        before={"state": State.OPEN, "since": since},
        after={"open_for_s": round((now - since).total_seconds(), 3)},
        now=now,
    )
    alarms.closed(breaker, since=since, now=now)
    return True


# Quorum


def _concerns_all(row: BreakerState, told: Mapping[int, Told]) -> bool:
    """A change, and also a process that stays open: it counts for a quorum that came later."""
    waits = row.breaker.shared not in {State.OPEN, State.HALF_OPEN}
    return row.breaker_id in told or (row.state == State.OPEN and waits)


def _share(
    process: BreakerProcess,
    states: Sequence[BreakerState],
    told: Mapping[int, Told],
    breakers: Mapping[int, CircuitBreaker],
    ids: set[int],
    *,
    version: int,
    sent: datetime,
    now: datetime,
) -> None:
    newest = version
    for row in states:
        breaker = breakers.get(row.breaker_id)
        if breaker is None or breaker.pk not in ids or not breaker.quorum or breaker.hold:
            continue
        changes = told[breaker.pk].changes if breaker.pk in told else ()
        evidence = Evidence(process.instance, _whys(changes, breaker, sent), _enough(breaker, now))
        before = shared_of(breaker)
        after = after_report(before, evidence, config=_config(breaker, row), now=now)
        if after != before:
            newest += 1
            store(breaker, after, version=newest, now=now)
    if newest != version:
        set_version(newest)
        publish(COMMANDS)


def _whys(changes: Sequence[ReportedTransition], breaker: CircuitBreaker, sent: datetime) -> tuple[str, ...]:
    """Of those that happened since the shared state is what it is: a report that comes late says nothing of a later opening."""
    since = breaker.shared_at
    return tuple(
        change.why for change in changes if since is None or sent - timedelta(seconds=change.ago_s) >= since
    )


def _enough(breaker: CircuitBreaker, now: datetime) -> bool:
    """Whether a quorum of those that know the newest shared state is open."""
    open_now = BreakerState.objects.filter(
        present(now, "process__"),
        breaker=breaker,
        state=State.OPEN,
        forced="",
        applied__gte=breaker.shared_version,
    )
    return open_now.count() >= breaker.quorum


def _config(breaker: CircuitBreaker, row: BreakerState) -> dict[str, Any]:
    return {**row.config, **settings_of(breaker)}
