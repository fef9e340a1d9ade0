"""What decides at one moment: rules, silences and their version, read together under the lock."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from alerts.choices import Category, Priority
from alerts.decision import RuleState
from alerts.models import AlertRule, Policy
from alerts.silence_index import SilenceIndex, open_silences


@dataclass(frozen=True, slots=True)
class PolicyNow:
    """`rules`: one for each category."""

    version: int
    rules: dict[str, RuleState]
    silences: SilenceIndex


def policy_now(*, at: datetime) -> PolicyNow:
    """Three short queries. Under `lock_decisions()`, so that nothing of it changes before the transaction ends."""
    version = Policy.objects.values_list("version", flat=True).first() or 0
    return PolicyNow(version, rules_now(), open_silences(at=at))


def rules_now() -> dict[str, RuleState]:
    """The rules of all categories; one whose row is missing is what a new row would be."""
    rows = {rule.category: rule for rule in AlertRule.objects.all()}
    return {
        category: rule_state(
            rows.get(category) or AlertRule(category=category, default_priority=Priority.MEDIUM)
        )
        for category in Category.values
    }


def rule_state(rule: AlertRule) -> RuleState:
    return RuleState(
        category=rule.category,
        enabled=rule.enabled,
        default_priority=rule.default_priority,
        min_priority=rule.min_priority,
        max_per_hour=rule.max_per_hour,
        dedupe_window_minutes=rule.dedupe_window_minutes,
        quiet_start=rule.quiet_start,
        quiet_end=rule.quiet_end,
        time_zone=_zone(rule.time_zone),
        quiet_passes=rule.quiet_passes,
    )


def _zone(name: str) -> str:
    """The desk's zone where the rule names none, or one that this machine does not know: an alert must not fail over that."""
    try:
        return ZoneInfo(name).key if name else settings.TIME_ZONE
    except (KeyError, ValueError, OSError):
        return settings.TIME_ZONE
