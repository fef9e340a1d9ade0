"""The door to triggers: a change counts from the next evaluation on, and stands in the audit trail with before and after."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from killswitch.state import parse_scope
from monitoring.triggers import alarms
from monitoring.triggers.models import Trigger, TriggerState
from monitoring.triggers.values import FIELDS, problems
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.tuned import Refused, model_problems, refuse_outdated, stamp, with_values
from opsconsole.live.publish import publish


@transaction.atomic
def create(*, actor: Actor, values: Mapping[str, Any], reason: str, now: datetime | None = None) -> Trigger:
    """Raises Refused."""
    moment = now or timezone.now()
    trigger = Trigger(**_checked(Trigger(), values))
    stamp(trigger, actor, moment)
    trigger.save()
    TriggerState.objects.create(trigger=trigger)
    _tell(actor, "triggers.created", trigger, reason, None, as_values(trigger), moment)
    return trigger


@transaction.atomic
def change(
    *,
    actor: Actor,
    trigger_id: int,
    values: Mapping[str, Any],
    reason: str,
    version: int | None = None,
    now: datetime | None = None,
) -> tuple[Trigger, bool]:
    """The trigger, and whether anything is different. Its state begins anew when what it reads or when it trips does.

    `version`: the one that the caller read. Raises Trigger.DoesNotExist, Refused or ChangedMeanwhile.
    """
    # In the order of an evaluation, which locks states alone: none may decide by the old row after this.
    state = TriggerState.objects.select_for_update(no_key=True).filter(pk=trigger_id).first()
    trigger = Trigger.objects.select_for_update(no_key=True).get(pk=trigger_id)
    refuse_outdated(trigger.name, trigger.version, read=version)
    before, moment = as_values(trigger), now or timezone.now()
    after = before | _checked(trigger, values)
    if before == after:
        return trigger, False
    for name, value in after.items():
        setattr(trigger, name, value)
    trigger.version += 1
    stamp(trigger, actor, moment)
    trigger.save()
    if state is not None and _decides(before) != _decides(after):
        _begin_anew(trigger, state, now=moment)
    _tell(actor, "triggers.changed", trigger, reason, before, after, moment)
    return trigger, True


@transaction.atomic
def delete(*, actor: Actor, trigger_id: int, reason: str, now: datetime | None = None) -> None:
    """Raises Trigger.DoesNotExist."""
    state = TriggerState.objects.select_for_update(no_key=True).filter(pk=trigger_id).first()
    trigger = Trigger.objects.select_for_update(no_key=True).get(pk=trigger_id)
    if state is not None:
        alarms.withdrawn(state, now=now or timezone.now())
    _tell(actor, "triggers.deleted", trigger, reason, as_values(trigger), None, now or timezone.now())
    trigger.delete()


def as_values(trigger: Trigger) -> dict[str, Any]:
    """What a person sets."""
    return {name: getattr(trigger, name) for name in FIELDS}


def _checked(trigger: Trigger, values: Mapping[str, Any]) -> dict[str, Any]:
    """The given values, as they are stored, if the row is sound with them."""
    whole = with_values(trigger, values, FIELDS)
    if unsound := model_problems(whole):
        raise Refused(unsound)
    cleaned = as_values(whole)
    if wrong := problems(cleaned):
        raise Refused({one.field: one.problem for one in reversed(wrong)})
    cleaned["stop_scope"] = parse_scope(cleaned["stop_scope"])
    return {name: cleaned[name] for name in values}


def _decides(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a state depends on."""
    other = {"name", "comment", "category", "priority", "stop_reason", "stop_scope", "stop_mode"}
    return {name: value for name, value in values.items() if name not in other}


def _begin_anew(trigger: Trigger, state: TriggerState, *, now: datetime) -> None:
    """A stop that is due stays due: it was decided."""
    alarms.withdrawn(state, now=now)
    TriggerState(trigger=trigger, stop_due=state.stop_due, stop_due_reason=state.stop_due_reason).save(
        force_update=True
    )


def _tell(
    actor: Actor,
    action: str,
    trigger: Trigger,
    reason: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    moment: datetime,
) -> None:
    record(actor=actor, action=action, obj=trigger, reason=reason, before=before, after=after, now=moment)
    publish("triggers")
