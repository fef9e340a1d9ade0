"""Triggers looked at: when a batch brings their metric, when breakers change, and by beat, for what does not come.

A stop is decided and written down in one transaction, and carried out right after it: a process that dies in between leaves a row that the next look
finds. Carrying it out twice changes nothing.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction
from django.db.models import Q

from killswitch import services as killswitch
from killswitch.choices import Reason
from killswitch.locking import bounded
from monitoring.triggers import alarms
from monitoring.triggers.choices import Act, Aggregate, Comparison, Condition, Problem
from monitoring.triggers.decision import Event, Outcome, Reading, Rule, State, decide
from monitoring.triggers.models import Trigger, TriggerState
from monitoring.triggers.readings import read
from monitoring.triggers.values import BREAKERS
from opsconsole.live.publish import publish

logger = logging.getLogger(__name__)

# Increases over many rows are not added up anew with each batch.
LONG = (Aggregate.INCREASE_DAY, Aggregate.INCREASE_MONTH)
LONG_EVERY = timedelta(seconds=5)

STATE_FIELDS = [one.name for one in fields(State)]
# The columns of a state, with their types.
WRITTEN = {
    "trigger_id": "bigint",
    "condition": "text",
    "confirmed": "int",
    "far": "bool",
    "tripped_at": "timestamptz",
    "value": "float8",
    "value_at": "timestamptz",
    "problem": "text",
    "problem_at": "timestamptz",
    "error": "text",
    "evaluated_at": "timestamptz",
    "stop_due": "text",
    "stop_due_reason": "text",
}
WRITE = (
    "UPDATE monitoring_triggerstate t SET "  # noqa: S608  no input in it
    + ", ".join(f"{name} = u.{name}" for name in WRITTEN if name != "trigger_id")
    + f" FROM unnest({', '.join(f'%s::{kind}[]' for kind in WRITTEN.values())}) AS u ({', '.join(WRITTEN)})"
    + " WHERE t.trigger_id = u.trigger_id"
)


class Broken(Exception):
    """A reading has failed in the database, and its transaction with it."""


@dataclass(frozen=True, slots=True)
class Due:
    """A stop that is decided."""

    trigger: Trigger
    words: str
    reason: str


@dataclass(slots=True)
class Look:
    """What came of one evaluation: events by the trigger's name, and how many stops were carried out."""

    events: dict[str, list[Event]] = field(default_factory=dict)
    stopped: int = 0


def after_batch(names: Collection[str], clients: Collection[str], now: datetime) -> None:
    """A batch has brought values of these metrics from these clients."""
    evaluate(names=names, clients=clients, now=now)


def after_breakers(names: Collection[str], now: datetime) -> None:
    """Circuit breakers have changed their state."""
    del names
    evaluate(names=[BREAKERS], now=now)


def evaluate(
    *, now: datetime, names: Collection[str] | None = None, clients: Collection[str] | None = None
) -> Look:
    """Look at the enabled triggers that read one of these metrics of one of these clients (None: whatever they read), alert and stop.

    Returns when stops are committed. A trigger that fails does what its row says, and keeps no other from being looked at.
    """
    try:
        due, look = _decide_all(now=now, names=names, clients=clients)
    except Broken:
        # Once more, with each reading by itself.
        due, look = _decide_all(now=now, names=names, clients=clients, careful=True)
    for stop in due:
        look.stopped += _carry_out(stop, now=now)
    return look


# Whoever is suspended in it keeps no other from a stop for long.
@bounded
def _decide_all(
    *,
    now: datetime,
    names: Collection[str] | None,
    clients: Collection[str] | None,
    careful: bool = False,
) -> tuple[list[Due], Look]:
    look, due = Look(), []
    states = _locked(names, clients, now=now)
    for row in states:
        trigger = row.trigger
        # Another process may have come first with a later clock; what is read here is newer all the same.
        moment = max(now, row.evaluated_at or now)
        reading = _reading_of(trigger, moment, careful=careful)
        after, events = decide(_rule_of(trigger), _state_of(row), reading, now=moment)
        for name, value in asdict(after).items():
            setattr(row, name, "" if name == "problem" and value is None else value)
        row.evaluated_at = moment
        for event in events:
            _follow(row, event, now=moment)
        if events:
            look.events[trigger.name] = events
    if states:
        _write(states, at_leisure=not look.events)
    if look.events:
        publish("triggers")
    due += [Due(row.trigger, row.stop_due, row.stop_due_reason) for row in states if row.stop_due]
    return due, look


def _locked(
    names: Collection[str] | None, clients: Collection[str] | None, *, now: datetime
) -> list[TriggerState]:
    """The states to look at, in the order of their keys, with their triggers."""
    wanted = Q(trigger__enabled=True)
    if names is not None:
        wanted &= Q(trigger__metric__in=names) | Q(trigger__percent_of__in=names)
        wanted &= ~Q(trigger__aggregate__in=LONG, evaluated_at__gt=now - LONG_EVERY)
    if clients is not None:
        wanted &= Q(trigger__client__in=[*clients, ""])
    if names is None:
        # A stop that is due is carried out whatever became of its trigger.
        wanted |= ~Q(stop_due="")
    rows = TriggerState.objects.select_for_update(no_key=True, of=("self",)).select_related("trigger")
    return list(rows.filter(wanted).order_by("pk"))


def _write(states: Sequence[TriggerState], *, at_leisure: bool) -> None:
    """All in one statement: Django's own takes several times as long to build.

    `at_leisure`: nothing has happened, so the commit need not wait for the disk. A crash of the database takes back a look, no decision.
    """
    values = [[getattr(row, name) for name in WRITTEN] for row in states]
    with connection.cursor() as cursor:
        if at_leisure:
            cursor.execute("SET LOCAL synchronous_commit TO off")
        cursor.execute(WRITE, [list(column) for column in zip(*values, strict=True)])


def _reading_of(trigger: Trigger, now: datetime, *, careful: bool) -> Reading:
    """`careful`: in a savepoint, so that a query that fails does not undo what the others came to. Without it: raises Broken then."""
    try:
        if not careful:
            return read(trigger, now=now)
        with transaction.atomic():
            return read(trigger, now=now)
    except Exception as error:
        if isinstance(error, DatabaseError) and not careful:
            raise Broken from error
        logger.exception("Trigger %s could not be read", trigger.name)
        return Reading(problem=Problem.ERROR, words=f"it could not be read ({type(error).__name__})")


def _follow(row: TriggerState, event: Event, *, now: datetime) -> None:
    if event.act == Act.STOP:
        row.stop_due = event.words
        # Who cannot see stops for want of data, whatever the trigger would have stopped for.
        failed = event.outcome == Outcome.FAILED
        row.stop_due_reason = Reason.DATA_QUALITY if failed else row.trigger.stop_reason
    alarms.told(row.trigger, event, now=now)


def _carry_out(due: Due, *, now: datetime) -> bool:
    """Whether it stopped anything. What fails stays due, and is told."""
    trigger = due.trigger
    try:
        outcome = killswitch.activate(
            actor=alarms.ACTOR,
            reason=due.reason,
            message=f"Trigger {trigger.name}: {due.words}",
            metadata={"trigger": trigger.name, "metric": trigger.metric, "threshold": trigger.threshold},
            scope=trigger.stop_scope,
            mode=trigger.stop_mode,
        )
        TriggerState.objects.filter(pk=trigger.pk, stop_due=due.words).update(stop_due="")
    except Exception:
        logger.exception("The stop of trigger %s could not be carried out; it is tried again", trigger.name)
        alarms.not_stopped(trigger, due.words, now=now)
        return False
    return outcome.changed


def _rule_of(trigger: Trigger) -> Rule:
    percent = f" in percent of {trigger.percent_of}" if trigger.percent_of else ""
    return Rule(
        subject=f"{trigger.metric}{percent}",
        comparison=Comparison(trigger.comparison),
        threshold=trigger.threshold,
        second_threshold=trigger.second_threshold,
        clear_threshold=trigger.clear_threshold,
        confirmations=trigger.confirmations,
        action=Act(trigger.action),
        on_missing=Act(trigger.on_missing),
        on_error=Act(trigger.on_error),
    )


def _state_of(row: TriggerState) -> State:
    values = {name: getattr(row, name) for name in STATE_FIELDS}
    values["condition"] = Condition(row.condition)
    values["problem"] = Problem(row.problem) if row.problem else None
    return State(**values)
