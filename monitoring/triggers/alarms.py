"""The alerts that triggers raise. None of them may undo, or hold up, the stop beside it."""

import logging
from datetime import datetime

from django.db import DatabaseError, transaction

from alerts.choices import Category, Priority
from alerts.services.raised import RaisedAlert
from alerts.services.submitting import submit
from monitoring.triggers.choices import Act, Condition
from monitoring.triggers.decision import Event, Outcome
from monitoring.triggers.models import Trigger, TriggerState
from opsconsole.audit.actor import Actor

logger = logging.getLogger(__name__)

ACTOR = Actor.system("triggers")
SOURCE = "triggers"
LONGEST_MESSAGE = 2000
FAILURES = frozenset({Outcome.FAILED, Outcome.RECOVERED})
OVER = frozenset({Outcome.CLEARED, Outcome.RECOVERED})


def told(trigger: Trigger, event: Event, *, now: datetime) -> None:
    """In the transaction of the decision. A stop has the kill switch's own alert; what is over is told to those who were told."""
    if event.act == Act.ALERT or event.outcome in OVER:
        _submit(_alert(trigger, event), now=now)


def withdrawn(state: TriggerState, *, now: datetime) -> None:
    """The trigger is no more, or another: what it said is over."""
    words = "The trigger was changed, and begins anew."
    if state.condition == Condition.TRIPPED:
        _submit(_alert(state.trigger, Event(Outcome.CLEARED, None, words)), now=now)
    if state.problem:
        _submit(_alert(state.trigger, Event(Outcome.RECOVERED, None, words)), now=now)


def not_stopped(trigger: Trigger, words: str, *, now: datetime) -> None:
    """A stop was decided and could not be carried out yet."""
    alert = RaisedAlert(
        category=Category.SYSTEM_ERROR,
        priority=Priority.CRITICAL,
        title=f"Trigger could not stop trading: {trigger.name}",
        message=words[:LONGEST_MESSAGE],
        labels={"trigger": trigger.name},
        source=SOURCE,
        force=True,
        dedupe_key=f"trigger-stop:{trigger.pk}",
    )
    _submit(alert, now=now)


def _alert(trigger: Trigger, event: Event) -> RaisedAlert:
    failed = event.outcome in FAILURES
    # What is to stop trading and is blind must be looked at now.
    blind = Priority.CRITICAL if trigger.action == Act.STOP else Priority.HIGH
    return RaisedAlert(
        category=Category.DATA_QUALITY if failed else trigger.category,
        priority=blind if failed else (trigger.priority or None),
        title=f"Trigger cannot decide: {trigger.name}" if failed else f"Trigger: {trigger.name}",
        message=event.words[:LONGEST_MESSAGE],
        labels={"trigger": trigger.name, "metric": trigger.metric},
        # What the alert was raised for, also when the trigger is tuned later.
        details={"threshold": trigger.threshold},
        source=SOURCE,
        resolved=event.outcome in OVER,
        dedupe_key=f"trigger-{'failure' if failed else 'trip'}:{trigger.pk}",
    )


def _submit(alert: RaisedAlert, *, now: datetime) -> None:
    """In a savepoint, or a transaction of its own."""
    try:
        with transaction.atomic():
            submit(actor=ACTOR, alert=alert, now=now)
    except (DatabaseError, ValueError):
        logger.exception("An alert of a trigger could not be raised: %s", alert.title)
