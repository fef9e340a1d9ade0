"""The rule by which drills are due: tuned here, and reminded of."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from killswitch import alarms, drills
from killswitch.choices import Reminder
from killswitch.drill_schedule import problems
from killswitch.models import DrillRule
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.tuned import Refused, refuse_outdated, stamp, with_values
from opsconsole.live.publish import publish

# What a person sets.
FIELDS = ("enabled", "every", "day", "days", "at", "zone", "remind_days", "comment")


@transaction.atomic
def change_drill_rule(
    *,
    actor: Actor,
    values: Mapping[str, Any],
    reason: str,
    version: int | None = None,
    now: datetime | None = None,
) -> tuple[DrillRule, bool]:
    """The rule, and whether anything is different. `values`: any of FIELDS. Raises Refused or ChangedMeanwhile."""
    rule = DrillRule.objects.select_for_update(no_key=True).get(pk=1)
    refuse_outdated("The rule", rule.version, read=version)
    whole = with_values(rule, values, FIELDS)
    before, after = as_values(rule), as_values(whole)
    if wrong := problems(after):
        raise Refused(wrong)
    if before == after:
        return rule, False
    moment = now or timezone.now()
    whole.version += 1
    stamp(whole, actor, moment)
    whole.save()
    record(
        actor=actor,
        action="killswitch.drill_rule_changed",
        obj=whole,
        reason=reason,
        before=_storable(before),
        after=_storable(after),
        now=moment,
    )
    _remind(whole, now=moment)
    publish("killswitch")
    return whole, True


@transaction.atomic
def remind(*, now: datetime | None = None) -> bool:
    """Raise and resolve what the rule asks for. Returns whether there was anything; of several that look, one does."""
    rule = DrillRule.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=1).first()
    if rule is None or not _remind(rule, now=now or timezone.now()):
        return False
    publish("killswitch")
    return True


def as_values(rule: DrillRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in FIELDS}


def _remind(rule: DrillRule, *, now: datetime) -> bool:
    due = drills.due_by(rule, now=now)
    wanted = Reminder.OVERDUE if due.overdue else Reminder.SOON if due.soon else ""
    at = due.due if wanted else None
    if (rule.told, rule.told_due) == (wanted, at):
        return False
    if rule.told and rule.told_due:
        alarms.drill_due(Reminder(rule.told), rule.told_due, resolved=True, now=now)
    if wanted and at:
        alarms.drill_due(Reminder(wanted), at, last=due.last, now=now)
    rule.told, rule.told_due = wanted, at
    rule.save(update_fields=["told", "told_due"])
    return True


def _storable(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "at": f"{values['at']:%H:%M}"}
