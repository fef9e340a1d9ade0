"""The doors: signing a day off, looking whether that was missed, and tuning when it is due."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from monitoring.day import span_of, trading_date
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.storable import storable_json, storable_text
from opsconsole.audit.tuned import Refused, refuse_outdated, stamp, with_values
from opsconsole.checklist import alarms, selectors
from opsconsole.checklist.choices import Progress
from opsconsole.checklist.due import problems
from opsconsole.checklist.models import COMMENT, ChecklistDay, ChecklistRule
from opsconsole.checklist.selectors import Evaluated
from opsconsole.live.publish import publish

TOPIC = "checklist"
# What a person sets of the rule.
FIELDS = ("enabled", "by", "zone", "days", "cache_hit_pct", "comment")


class CommentNeeded(ValueError):
    """Whoever signs what is not green says why."""

    def __init__(self, found: Evaluated) -> None:
        count, total = len(found.not_green), len(found.lines)
        super().__init__(
            f"comment: {count} of {total} lines are not green, so say why it is signed off all the same"
        )
        self.found = found


class ChangedSinceSeen(Exception):
    """A line has got another verdict than the one that was looked at; nothing was signed."""

    def __init__(self, found: Evaluated) -> None:
        super().__init__("Something has changed since you looked: look again, and sign what is so now.")
        self.found = found


@transaction.atomic
def sign(
    *, actor: Actor, comment: str, seen: str | None = None, now: datetime | None = None
) -> tuple[ChecklistDay, bool]:
    """Sign off the trading day, with every line as it is now. The day, and whether this call signed it: the first signature stays.

    `seen`: the verdicts that were looked at (`Evaluated.seen`), so that nobody signs what he has not seen. Raises CommentNeeded or
    ChangedSinceSeen.
    """
    moment = now or timezone.now()
    row = _locked(moment)
    if row.signed_at is not None:
        return row, False
    found = selectors.evaluated(now=moment)
    if seen is not None and seen != found.seen:
        raise ChangedSinceSeen(found)
    words = storable_text(comment.strip(), length=COMMENT)
    if found.not_green and not words:
        raise CommentNeeded(found)
    row.signed_at, row.comment = moment, words
    row.actor_kind, row.user_id = actor.kind, actor.user_id
    row.signed_by = storable_text(actor.name, length=150)
    row.lines = storable_json([line.as_json() for line in found.lines])
    row.not_green = len(found.not_green)
    row.save()
    record(
        actor=actor,
        action="checklist.signed",
        obj=row,
        reason=words,
        metadata={
            "day": row.day.isoformat(),
            "not_green": {line.title: line.text for line in found.not_green},
        },
        now=moment,
    )
    if row.told_at is not None:
        alarms.unsigned(row, resolved=True, now=moment)
    publish(TOPIC)
    return row, True


@transaction.atomic
def look(*, now: datetime | None = None) -> bool:
    """Tell of a day that was not signed off in time, once. Returns whether there was anything."""
    moment = now or timezone.now()
    return _follow(ChecklistRule.objects.get(pk=1), now=moment)


@transaction.atomic
def change_rule(
    *,
    actor: Actor,
    values: Mapping[str, Any],
    reason: str,
    version: int | None = None,
    now: datetime | None = None,
) -> tuple[ChecklistRule, bool]:
    """The rule, and whether anything is different. `values`: any of FIELDS. Raises Refused or ChangedMeanwhile."""
    rule = ChecklistRule.objects.select_for_update(no_key=True).get(pk=1)
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
        action="checklist.rule_changed",
        obj=whole,
        reason=reason,
        before={**before, "by": f"{before['by']:%H:%M}"},
        after={**after, "by": f"{after['by']:%H:%M}"},
        now=moment,
    )
    _follow(whole, now=moment)
    publish(TOPIC)
    return whole, True


def as_values(rule: ChecklistRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in FIELDS}


def _follow(rule: ChecklistRule, *, now: datetime) -> bool:
    """Let the alert say what is so."""
    today = selectors.today_by(rule, now=now)
    late = today.progress == Progress.OVERDUE and span_of(today.day).start >= rule.since
    told = today.row is not None and today.row.told_at is not None
    if today.signed or late == told:
        return False
    row = _locked(now)
    # Somebody else may have been here meanwhile.
    if row.signed_at is not None or late == (row.told_at is not None):
        return False
    row.told_at = now if late else None
    row.save(update_fields=["told_at"])
    alarms.unsigned(row, due=today.due, resolved=not late, now=now)
    publish(TOPIC)
    return True


def _locked(now: datetime) -> ChecklistDay:
    day = trading_date(now)
    ChecklistDay.objects.get_or_create(day=day)
    return ChecklistDay.objects.select_for_update(no_key=True).get(day=day)
