"""People and their alerts: who owns one, until when, and when it is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from alerts.choices import AlertState, DeliveryKind
from alerts.locking import lock_decisions
from alerts.models import Alert, ResponseTime
from alerts.response import due
from alerts.services import outbox
from alerts.services.tally import count_act
from opsconsole.accounts.models import User
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.storable import storable_text
from opsconsole.live.publish import publish

NOTE_LENGTH = 2000
# An acknowledgement that is to end by itself ends at the latest after this.
LONGEST = timedelta(days=30)
# What the trail shows of an alert, before and after.
SHOWN = (
    "state",
    "acknowledged_at",
    "acknowledged_by",
    "acknowledged_until",
    "acknowledge_note",
    "assignee",
    "due_at",
    "escalate_at",
)


@dataclass(frozen=True, slots=True)
class Owned:
    """`changed`: whether this call changed anything; else it was so already."""

    changed: bool
    alert: Alert


class NotFiring(Exception):
    """The alert is over."""

    def __init__(self, alert: Alert) -> None:
        super().__init__(f"Alert {alert.pk} is resolved already, by {alert.resolved_by or 'its sender'}.")
        self.alert = alert


@transaction.atomic
def acknowledge(
    *, actor: Actor, alert_id: int, note: str, until: datetime | None = None, now: datetime | None = None
) -> Owned:
    """Own it: nothing is escalated any more, or (with `until`) not before then, when it is due again.

    An alert that somebody else owns passes to `actor`. Raises Alert.DoesNotExist, NotFiring, and ValueError for `until` and `note`.
    """
    moment = now or timezone.now()
    note = _note(note)
    if until is not None and not moment < until <= moment + LONGEST:
        raise ValueError(f"until: must lie in the future, at most {LONGEST.days} days from now")
    alert = locked_alert(alert_id)
    name = _name(actor)
    present = (alert.acknowledged_by, alert.acknowledged_until, alert.acknowledge_note)
    if alert.acknowledged_at is not None and present == (name, until, note):
        return Owned(changed=False, alert=alert)
    before, untouched = describe(alert), _untouched(alert)
    alert.acknowledged_at, alert.acknowledged_by = moment, name
    alert.acknowledged_until, alert.acknowledge_note = until, note
    # The time at which the acknowledgement ends is kept by the same clock as an escalation.
    alert.escalate_at = until
    _write(
        alert, "acknowledged_at", "acknowledged_by", "acknowledged_until", "acknowledge_note", "escalate_at"
    )
    if untouched:
        count_act(alert=alert, now=moment)
    _record(actor, "alerts.acknowledged", alert, reason=note, before=before, now=moment)
    tell(alert, DeliveryKind.EDIT, now=moment)
    return Owned(changed=True, alert=alert)


@transaction.atomic
def unacknowledge(*, actor: Actor, alert_id: int, reason: str, now: datetime | None = None) -> Owned:
    """Let go of it: it is due when it was due before, and escalated then. Raises Alert.DoesNotExist, NotFiring and ValueError."""
    moment = now or timezone.now()
    reason = _note(reason, field="reason")
    alert = locked_alert(alert_id)
    if alert.acknowledged_at is None:
        return Owned(changed=False, alert=alert)
    before = describe(alert)
    _let_go(alert)
    alert.escalate_at = _next_escalation(alert, now=moment)
    _write_let_go(alert)
    _record(actor, "alerts.unacknowledged", alert, reason=reason, before=before, now=moment)
    tell(alert, DeliveryKind.EDIT, now=moment)
    return Owned(changed=True, alert=alert)


def end_acknowledgement(*, alert: Alert, times: Mapping[str, ResponseTime], now: datetime) -> None:
    """The time of a locked alert's acknowledgement is up: it is due again, as if it had been raised now."""
    before = describe(alert)
    owner = alert.acknowledged_by
    _let_go(alert)
    alert.escalate_at = None
    if alert.due_at is not None:
        alert.due_at, alert.escalate_at = due(alert.priority, raised_at=now, times=times)
    _write_let_go(alert)
    _record(
        Actor.system("alerts"),
        "alerts.unacknowledged",
        alert,
        reason=f"The time of {owner}'s acknowledgement is up",
        before=before,
        now=now,
    )
    tell(alert, DeliveryKind.EDIT, now=now)


@transaction.atomic
def resolve(*, actor: Actor, alert_id: int, note: str, now: datetime | None = None) -> Owned:
    """End the incident. Whoever was told that it began is told that it is over. Raising it again begins a new one.

    Raises Alert.DoesNotExist and ValueError.
    """
    moment = now or timezone.now()
    note = _note(note)
    try:
        alert = locked_alert(alert_id)
    except NotFiring as error:
        return Owned(changed=False, alert=error.alert)
    before, untouched = describe(alert), _untouched(alert)
    alert.state, alert.resolved_at, alert.resolved_by = AlertState.RESOLVED, moment, _name(actor)
    alert.resolve_note, alert.escalate_at, alert.held = note, None, False
    _write(alert, "state", "resolved_at", "resolved_by", "resolve_note", "escalate_at", "held")
    if untouched:
        count_act(alert=alert, now=moment)
    _record(actor, "alerts.resolved", alert, reason=note, before=before, now=moment)
    tell(alert, DeliveryKind.RESOLVED, now=moment)
    return Owned(changed=True, alert=alert)


@transaction.atomic
def assign(
    *, actor: Actor, alert_id: int, user_id: int | None, note: str, now: datetime | None = None
) -> Owned:
    """Say whose it is, or (None) nobody's. It stays due until somebody acknowledges it.

    Raises Alert.DoesNotExist, NotFiring, and ValueError for `note` and for a `user` who may not acknowledge alerts.
    """
    moment = now or timezone.now()
    note = _note(note)
    person = None if user_id is None else _assignable(user_id)
    alert = locked_alert(alert_id)
    if alert.assignee_id == user_id:
        return Owned(changed=False, alert=alert)
    before, untouched = describe(alert), _untouched(alert)
    alert.assignee = person
    _write(alert, "assignee")
    if untouched:
        count_act(alert=alert, now=moment)
    _record(actor, "alerts.assigned", alert, reason=note, before=before, now=moment)
    tell(alert, DeliveryKind.EDIT, now=moment)
    return Owned(changed=True, alert=alert)


def locked_alert(alert_id: int) -> Alert:
    """The alert, with all locks that a change of it needs. Raises Alert.DoesNotExist and NotFiring."""
    lock_decisions()
    alert = Alert.objects.select_for_update(of=("self",)).select_related("assignee").get(pk=alert_id)
    if alert.state != AlertState.FIRING:
        raise NotFiring(alert)
    return alert


def tell(alert: Alert, kind: DeliveryKind, *, now: datetime) -> None:
    """Those who were told of the incident; nobody, when nobody was."""
    if alert.sent_count:
        outbox.put(alerts=[alert], kind=kind, now=now)


def describe(alert: Alert) -> dict[str, Any]:
    shown = {name: getattr(alert, name) for name in SHOWN}
    return shown | {"assignee": alert.assignee.display_name if alert.assignee else None}


def _record(
    actor: Actor, action: str, alert: Alert, *, reason: str, before: dict[str, Any], now: datetime
) -> None:
    record(
        actor=actor, action=action, obj=alert, reason=reason, before=before, after=describe(alert), now=now
    )
    publish("alerts", ids=(alert.pk,))


def _write(alert: Alert, *fields: str) -> None:
    alert.save(update_fields=fields)


def _let_go(alert: Alert) -> None:
    alert.acknowledged_at, alert.acknowledged_until = None, None
    alert.acknowledged_by = alert.acknowledge_note = ""


def _write_let_go(alert: Alert) -> None:
    names = ("acknowledged_at", "acknowledged_by", "acknowledged_until", "acknowledge_note")
    _write(alert, *names, "due_at", "escalate_at")


def _next_escalation(alert: Alert, *, now: datetime) -> datetime | None:
    """When it is due; or, when that is past, one interval from now."""
    if alert.due_at is None or alert.due_at > now:
        return alert.due_at
    wanted = ResponseTime.objects.filter(priority=alert.priority).first()
    return None if wanted is None else now + timedelta(minutes=wanted.escalate_every_minutes)


def _untouched(alert: Alert) -> bool:
    """Nobody has acted on this incident; each counts once."""
    return alert.acknowledged_at is None and alert.assignee_id is None


def _assignable(user_id: int) -> User:
    user = User.objects.filter(pk=user_id, is_active=True, is_service=False).first()
    if user is None or not user.has_perm("alerts.acknowledge"):
        raise ValueError("user: must be an active account that may acknowledge alerts")
    return user


def _name(actor: Actor) -> str:
    return storable_text(actor.name, length=150)


def _note(text: str, *, field: str = "note") -> str:
    if len(text) > NOTE_LENGTH:
        raise ValueError(f"{field}: must be a text of 0 to {NOTE_LENGTH} characters")
    return storable_text(text.strip())
