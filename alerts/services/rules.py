"""The doors to what decides: rules, label rules, and response times. A change counts from the next alert on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from alerts.locking import bump_policy, lock_decisions
from alerts.models import AlertRule, LabelRule, ResponseTime
from alerts.rule_values import LABEL_RULE, RESPONSE_TIME, RULE, Check, Refused, checked
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.tuned import refuse_outdated, stamp
from opsconsole.live.publish import publish


@transaction.atomic
def change(
    *,
    actor: Actor,
    category: str,
    values: Mapping[str, Any],
    reason: str,
    version: int | None = None,
    now: datetime | None = None,
) -> tuple[AlertRule, bool]:
    """The rule of a category, and whether anything is different.

    `version`: the one that the caller read, if it is not to overwrite what others changed since. Raises AlertRule.DoesNotExist,
    Refused (a ValueError) naming the field, or ChangedMeanwhile.
    """
    wanted = checked(values, RULE)
    lock_decisions()
    rule = AlertRule.objects.select_for_update().get(category=category)
    refuse_outdated(rule.category, rule.version, read=version)
    before = as_values(rule, RULE)
    if before == before | wanted:
        return rule, False
    moment = now or timezone.now()
    stamp(rule, actor, moment)
    rule.version += 1
    _set(rule, wanted, "version", "updated_at", "updated_by")
    bump_policy()
    _tell(actor, "alerts.rule_changed", rule, reason, before=before, after=before | wanted, now=moment)
    return rule, True


@transaction.atomic
def change_response_time(
    *, actor: Actor, priority: str, values: Mapping[str, Any], reason: str, now: datetime | None = None
) -> ResponseTime:
    """Within how long alerts of this priority must be owned, from the next one on. Raises ResponseTime.DoesNotExist or Refused."""
    wanted = checked(values, RESPONSE_TIME)
    row = ResponseTime.objects.select_for_update().get(priority=priority)
    before = as_values(row, RESPONSE_TIME)
    if before != before | wanted:
        _set(row, wanted)
        after = before | wanted
        _tell(actor, "alerts.response_time_changed", row, reason, before=before, after=after, now=now)
    return row


@transaction.atomic
def create_label_rule(
    *, actor: Actor, values: Mapping[str, Any], reason: str, now: datetime | None = None
) -> LabelRule:
    """What labels mean, from the next alert on. Raises Refused."""
    if "matchers" not in values:
        raise Refused("matchers", "is missing")
    row = LabelRule(**checked(values, LABEL_RULE))
    _refuse_meaningless(row)
    lock_decisions()
    row.save()
    bump_policy()
    _tell(actor, "alerts.label_rule_created", row, reason, after=as_values(row, LABEL_RULE), now=now)
    return row


@transaction.atomic
def change_label_rule(
    *,
    actor: Actor,
    label_rule_id: int,
    values: Mapping[str, Any],
    reason: str,
    now: datetime | None = None,
) -> LabelRule:
    """Raises LabelRule.DoesNotExist or Refused."""
    wanted = checked(values, LABEL_RULE)
    lock_decisions()
    row = LabelRule.objects.select_for_update().get(pk=label_rule_id)
    before = as_values(row, LABEL_RULE)
    if before == before | wanted:
        return row
    _set(row, wanted)
    _refuse_meaningless(row)
    bump_policy()
    _tell(actor, "alerts.label_rule_changed", row, reason, before=before, after=before | wanted, now=now)
    return row


@transaction.atomic
def delete_label_rule(*, actor: Actor, label_rule_id: int, reason: str, now: datetime | None = None) -> None:
    """Raises LabelRule.DoesNotExist."""
    lock_decisions()
    row = LabelRule.objects.select_for_update().get(pk=label_rule_id)
    before = as_values(row, LABEL_RULE)
    _tell(actor, "alerts.label_rule_deleted", row, reason, before=before, now=now)
    row.delete()
    bump_policy()


def as_values(row: Model, fields: Mapping[str, Check]) -> dict[str, Any]:
    """A row's values by the names that its service takes."""
    return {name: getattr(row, name) for name in fields}


def _set(row: Model, values: Mapping[str, Any], *others: str) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=[*values, *others])


def _refuse_meaningless(row: LabelRule) -> None:
    if not row.category and not row.priority:
        raise Refused("category", "must be given, or else priority: a label rule means something")


def _tell(
    actor: Actor,
    action: str,
    row: Model,
    reason: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> None:
    record(actor=actor, action=action, obj=row, reason=reason, before=before, after=after, now=now)
    publish("rules")
