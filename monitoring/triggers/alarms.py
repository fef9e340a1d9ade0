"""The alerts that triggers raise. None of them may undo, or hold up, the stop beside it."""

from datetime import datetime

from alerts.choices import Category, Priority
from alerts.services.raised import RaisedAlert
from alerts.services.submitting import submit_beside
from monitoring.triggers.choices import Act, Condition
from monitoring.triggers.decision import Event, Outcome
from monitoring.triggers.models import Trigger, TriggerState
from opsconsole.audit.actor import Actor

ACTOR = Actor.system("triggers")
SOURCE = "triggers"
LONGEST_MESSAGE = 2000
FAILURES = frozenset({Outcome.FAILED, Outcome.RECOVERED})
OVER = frozenset({Outcome.CLEARED, Outcome.RECOVERED})


def told(trigger: Trigger, event: Event, *, now: datetime) -> None:
    """In the transaction of the decision. A stop has the kill switch's own alert; what is over is told to those who were told."""
    if event.act == Act.ALERT or event.outcome in OVER:
        submit_beside(actor=ACTOR, alert=_alert(trigger, event), now=now)


def withdrawn(state: TriggerState, *, now: datetime) -> None:
    """The trigger is no more, or another: what it said is over."""
    words = "The trigger was changed, and begins anew."
    if state.condition == Condition.TRIPPED:
        submit_beside(actor=ACTOR, alert=_alert(state.trigger, Event(Outcome.CLEARED, None, words)), now=now)
    if state.problem:
        submit_beside(
            actor=ACTOR, alert=_alert(state.trigger, Event(Outcome.RECOVERED, None, words)), now=now
        )


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
    submit_beside(actor=ACTOR, alert=alert, now=now)


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
