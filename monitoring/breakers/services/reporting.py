"""What processes report is taken in here: each report once, in one transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from killswitch.locking import bounded, database_time, kept_waits
from killswitch.models import TradingClient
from monitoring.breakers import hooks
from monitoring.breakers.choices import NUMBERS, ORDERED, State
from monitoring.breakers.feed import changes_above
from monitoring.breakers.models import (
    BreakerApplied,
    BreakerProcess,
    BreakerState,
    BreakerTransition,
    CircuitBreaker,
)
from monitoring.breakers.reports import Report, ReportedBreaker, ReportedTransition
from monitoring.breakers.services.breakers import known_or_new
from monitoring.breakers.services.clocks import sent_at
from monitoring.breakers.services.incidents import Told, follow
from opsconsole.audit.actor import Actor
from opsconsole.live.publish import publish

COUNTS = ("success", "failure", "slow", "ignored", "rejected")
# A little less than the minutes of metrics, so that none is without a state.
METER_EVERY = timedelta(seconds=45)
# What tells a stay in a state from another one, of which nobody told.
SAME_STAY = timedelta(seconds=5)
WRITTEN = (
    *(
        "state",
        "forced",
        "since",
        "failing_since",
        "generation",
        "applied",
        "reported_at",
        "config",
        "own_config",
    ),
    *COUNTS,
    *("calls", "failure_rate", "slow_rate", "failure_type", "failure_text", "failure_at"),
    *("open_s", "metered_at", "metered_open_s", "metered_rejected", "unmetered"),
)

NOTED = (
    *("stream", "reported_at", "last_report", "applied", "dropped", "last_seq"),
    *("clock_offset", "clock_at"),
)


class ForeignProcess(Exception):
    """Another account has reported for, or opened the stream of, this very instance."""

    def __init__(self) -> None:
        super().__init__("This instance belongs to another account.")


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a report: the newest version, what there is to apply (None: nothing), and breakers beyond the most that are kept."""

    version: int
    changes: Mapping[str, Any] | None
    ignored: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Brought:
    """One breaker of a report: its row before (None: new) and after, and its new changes of state."""

    breaker: CircuitBreaker
    before: BreakerState | None
    after: BreakerState
    changes: list[ReportedTransition]

    @property
    def has_changed(self) -> bool:
        if self.before is None:
            return self.after.state != State.CLOSED or bool(self.changes)
        same = (self.before.state, self.before.forced) == (self.after.state, self.after.forced)
        return bool(self.changes) or not same


def take_report(*, actor: Actor, report: Report, now: datetime | None = None) -> Taken:
    """Take in a report that `monitoring.breakers.reports` has checked; then triggers look at it. A repeat changes nothing.

    Returns after the commit. Raises ForeignProcess.
    """
    taken, changed, moment = _take(actor=actor, report=report, now=now)
    if changed:
        hooks.after_changes(changed, moment)
    return taken


@bounded
def _take(*, actor: Actor, report: Report, now: datetime | None) -> tuple[Taken, list[str], datetime]:
    moment = now or database_time()
    process = _process(actor, report, moment)
    if process.last_report == report.report_id:
        version, changes = changes_above(report.applied, now=moment)
        return Taken(version, changes), [], moment
    names = [one.name for one in report.breakers] + [one.breaker for one in report.transitions]
    known, ignored = known_or_new(names, now=moment)
    fresh = [one for one in report.transitions if one.seq > process.last_seq and one.breaker in known]
    sent = sent_at(process, report, now=moment)
    _note_process(process, report, moment)
    _note_transitions(process, fresh, known, sent=sent, now=moment)
    _note_applied(process, report, moment)
    brought = _states(process, report, known, fresh, sent=sent, now=moment)
    _meter(process, brought, moment)
    _write(brought)
    told = [Told(one.breaker.pk, one.after, one.changes) for one in brought if one.has_changed]
    follow(process=process, told=told, states=[one.after for one in brought], sent=sent, now=moment)
    publish("breakers")
    version, changes = changes_above(report.applied, now=moment)
    return Taken(version, changes, ignored), sorted({one.breaker for one in fresh}), moment


def _process(actor: Actor, report: Report, moment: datetime) -> BreakerProcess:
    """Its row, locked: reports of one process go one after the other."""
    same = {"name": report.name, "instance": report.instance}
    stream = TradingClient.objects.filter(**same).first()
    if stream is not None and stream.user_id != actor.user_id:
        raise ForeignProcess
    seen = {"first_seen": moment, "reported_at": moment, "user_id": actor.user_id}
    process, _ = BreakerProcess.objects.select_for_update(no_key=True, of=("self",)).get_or_create(
        **same, defaults=seen
    )
    if process.user_id != actor.user_id:
        raise ForeignProcess
    process.stream = stream
    return process


def _note_process(process: BreakerProcess, report: Report, moment: datetime) -> None:
    process.reported_at = max(moment, process.reported_at)
    process.last_report = report.report_id
    process.applied = report.applied
    process.dropped = report.dropped
    process.last_seq = max([process.last_seq, *(one.seq for one in report.transitions)])
    process.save(update_fields=NOTED)


def _note_transitions(
    process: BreakerProcess,
    fresh: Sequence[ReportedTransition],
    known: Mapping[str, CircuitBreaker],
    *,
    sent: datetime,
    now: datetime,
) -> None:
    BreakerTransition.objects.bulk_create(
        (
            BreakerTransition(
                breaker=known[one.breaker],
                client=process.name,
                instance=process.instance,
                seq=one.seq,
                from_state=one.from_,
                to_state=one.to,
                at=sent - timedelta(seconds=one.ago_s),
                in_previous_s=one.in_previous_s,
                why=one.why,
                cause_type=one.cause.type if one.cause else "",
                cause_text=one.cause.text if one.cause else "",
                counts=one.counts,
                received_at=now,
            )
            for one in fresh
        ),
        ignore_conflicts=True,
    )


def _note_applied(process: BreakerProcess, report: Report, moment: datetime) -> None:
    """What operators told, and this process has done by now."""
    applied = max([report.applied, *(one.applied for one in report.breakers)])
    BreakerApplied.objects.filter(
        at=None, instance=process.instance, client=process.name, version__lte=applied
    ).update(at=moment)


def _states(
    process: BreakerProcess,
    report: Report,
    known: Mapping[str, CircuitBreaker],
    fresh: Sequence[ReportedTransition],
    *,
    sent: datetime,
    now: datetime,
) -> list[_Brought]:
    """In the order of the breakers' keys."""
    rows = {row.breaker_id: row for row in BreakerState.objects.filter(process=process)}
    found: list[_Brought] = []
    for one in report.breakers:
        breaker = known.get(one.name)
        if breaker is None:
            continue
        before = rows.get(breaker.pk)
        changes = [change for change in fresh if change.breaker == one.name]
        after = _state(one, before, changes, sent=sent, now=now)
        after.breaker, after.process = breaker, process
        found.append(_Brought(breaker, before, after, changes))
    return sorted(found, key=lambda item: item.breaker.pk)


def _state(
    one: ReportedBreaker,
    before: BreakerState | None,
    changes: Sequence[ReportedTransition],
    *,
    sent: datetime,
    now: datetime,
) -> BreakerState:
    since = sent - timedelta(seconds=one.state_s)
    if (
        before is not None
        and not changes
        and before.state == one.state
        and abs(since - before.since) < SAME_STAY
    ):
        # As it was told first: later reports only measure it anew.
        since = before.since
    failure = one.last_failure
    return BreakerState(
        state=one.state,
        forced=one.forced or "",
        since=since,
        failing_since=_failing_since(one, before, changes, since, sent),
        generation=one.generation,
        applied=one.applied,
        reported_at=now,
        config=one.config,
        own_config=one.own_config,
        calls=one.window.calls,
        failure_rate=one.window.failure_rate,
        slow_rate=one.window.slow_rate,
        failure_type=failure.type if failure else "",
        failure_text=failure.text if failure else "",
        failure_at=sent - timedelta(seconds=failure.ago_s) if failure else None,
        open_s=(before.open_s if before else 0.0)
        + sum(change.in_previous_s for change in changes if change.from_ == State.OPEN),
        metered_at=before.metered_at if before else None,
        metered_open_s=before.metered_open_s if before else 0.0,
        metered_rejected=before.metered_rejected if before else 0,
        unmetered=dict(
            Counter(before.unmetered if before else {}) + Counter(change.to for change in changes)
        ),
        **{name: getattr(one.counts, name) for name in COUNTS},
    )


def _failing_since(
    one: ReportedBreaker,
    before: BreakerState | None,
    changes: Sequence[ReportedTransition],
    since: datetime,
    sent: datetime,
) -> datetime | None:
    """Of its own accord: what an operator orders is no failure, nor is trying anew after a release."""
    if one.state == State.CLOSED or one.forced:
        return None
    opened = [
        change.ago_s for change in changes if change.from_ == State.CLOSED and change.why not in ORDERED
    ]
    if opened:
        return sent - timedelta(seconds=opened[-1])
    known = before.failing_since if before else None
    return known or (since if one.state == State.OPEN else None)


def _meter(process: BreakerProcess, brought: Sequence[_Brought], moment: datetime) -> None:
    """Have counted what has grown, and each state once a minute."""
    due = [(one, metered) for one in brought if _is_due(one.after, metered := _metered(one), moment)]
    if not due:
        return
    # Metrics wait for their own locks longer than those may wait that come after them.
    with kept_waits():
        is_counted = hooks.meter_all(process.name, [metered for _, metered in due], moment)
    if is_counted:
        for row in (one.after for one, _ in due):
            row.metered_rejected = max(row.metered_rejected, row.rejected)
            row.metered_open_s = max(row.metered_open_s, _open_s(row))
            row.metered_at, row.unmetered = moment, {}


def _is_due(row: BreakerState, metered: hooks.Metered, moment: datetime) -> bool:
    grown = metered.changes or metered.rejected or metered.open_s
    return bool(grown) or row.metered_at is None or moment - row.metered_at > METER_EVERY


def _metered(one: _Brought) -> hooks.Metered:
    after = one.after
    states = [change.to for change in one.changes] + [after.state]
    return hooks.Metered(
        breaker=one.breaker.name,
        states=[NUMBERS[State(state)] for state in states],
        changes=after.unmetered,
        rejected=max(0, after.rejected - after.metered_rejected),
        open_s=max(0.0, _open_s(after) - after.metered_open_s),
    )


def _open_s(row: BreakerState) -> float:
    """Seconds in OPEN up to this report."""
    now = (row.reported_at - row.since).total_seconds() if row.state == State.OPEN else 0.0
    return row.open_s + max(0.0, now)


def _write(brought: Sequence[_Brought]) -> None:
    """All in one statement."""
    BreakerState.objects.bulk_create(
        [one.after for one in brought],
        update_conflicts=True,
        unique_fields=["breaker", "process"],
        update_fields=WRITTEN,
    )
