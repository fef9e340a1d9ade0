"""Which runbooks belong to an alert."""

from collections.abc import Sequence

from alerts.labels import seen_labels
from alerts.matching import Matcher, parse_matchers
from alerts.models import Alert
from opsconsole.runbooks.models import Runbook


def matchers_of(runbook: Runbook) -> Sequence[Matcher]:
    return parse_matchers(runbook.matchers) if runbook.matchers else ()


def belongs(runbook: Runbook, alert: Alert) -> bool:
    """It says by category or labels which alerts are meant, and this is one of them."""
    if not (runbook.category or runbook.matchers):
        return False
    if runbook.category not in ("", alert.category):
        return False
    labels = seen_labels(category=alert.category, title=alert.title, labels=alert.labels)
    return all(matcher.matches(labels) for matcher in matchers_of(runbook))


def for_alert(alert: Alert) -> list[Runbook]:
    """The enabled ones, those that say the most about it first. One query."""
    found = [runbook for runbook in Runbook.objects.filter(enabled=True) if belongs(runbook, alert)]
    return sorted(found, key=lambda runbook: (-len(runbook.matchers), not runbook.category, runbook.name))
