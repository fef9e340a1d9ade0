"""Rows as a message."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from alerts.channels.message import Button, Message
from alerts.channels.times import at
from alerts.choices import AlertState, DeliveryKind, Priority
from alerts.models import Alert, Delivery

# In a chat, more than this is not read.
MOST_FACTS = 10
MOST_LINES = 30
# Annotations that say more than the message, in the order in which one is taken.
_TEXTS = ("description", "summary", "message")
_REASONS = {
    "quiet_hours": "held during quiet hours",
    "pressure": "told together, since there were too many to tell one by one",
}


def message_of(
    delivery: Delivery,
    *,
    buttons: Sequence[Button] = (),
    reply_to: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> Message:
    """What this delivery says now. Reads `delivery.alert` and its assignee.

    `content` of a DIGEST: `{"reason": "quiet_hours" | "pressure", "total", "resolved"?, "by_category": {category: n}, "lines": [{"alert", "priority",
    "category", "title", "count", "at"}]}`; of a TEST: `{"by": name}`. `attempts` is the number of this try.
    """
    now = now or timezone.now()
    if delivery.alert is not None:
        return _of_alert(delivery, delivery.alert, buttons, reply_to, now)
    if delivery.kind == DeliveryKind.TEST:
        return _of_test(delivery, now)
    return _of_digest(delivery, now)


def _of_alert(
    delivery: Delivery,
    alert: Alert,
    buttons: Sequence[Button],
    reply_to: Mapping[str, Any] | None,
    now: datetime,
) -> Message:
    acknowledged = alert.acknowledged_at is not None
    assignee = alert.assignee.display_name if alert.assignee is not None else ""
    return Message(
        kind=DeliveryKind(delivery.kind),
        priority=Priority(alert.priority),
        category=alert.category,
        title=alert.title,
        text=alert.message or _annotation(alert, *_TEXTS),
        facts=_facts(alert),
        state=AlertState(alert.state),
        count=alert.count,
        first_at=alert.first_at,
        last_at=alert.last_at,
        due_at=alert.due_at,
        resolved_at=alert.resolved_at,
        resolved_by=alert.resolved_by,
        owner=alert.acknowledged_by if acknowledged else assignee,
        acknowledged=acknowledged,
        escalation=alert.escalation,
        alert_url=_link(f"/alerts/{alert.pk}"),
        buttons=tuple(buttons),
        data={"alert": _data(alert, assignee)},
        thread=f"alert-{alert.pk}",
        reply_to=reply_to,
        key=delivery.key,
        attempt=max(1, delivery.attempts),
        maybe_duplicate=delivery.maybe_duplicate,
        now=now,
    )


def _of_test(delivery: Delivery, now: datetime) -> Message:
    by = str(delivery.content.get("by", ""))
    return Message(
        kind=DeliveryKind.TEST,
        priority=Priority(delivery.priority),
        title=f"Test of the channel {delivery.channel_name}",
        text=f"Sent{f' by {by}' if by else ''} to see whether it arrives. Nothing is wrong.",
        alert_url=_link("/alerts"),
        data={"test": dict(delivery.content)},
        key=delivery.key,
        attempt=max(1, delivery.attempts),
        maybe_duplicate=delivery.maybe_duplicate,
        now=now,
    )


def _of_digest(delivery: Delivery, now: datetime) -> Message:
    content = delivery.content
    lines = content.get("lines") or []
    total = int(content.get("total") or len(lines))
    reason = _REASONS.get(str(content.get("reason")), "told together")
    by_category: Mapping[str, int] = content.get("by_category") or {}
    resolved = int(content.get("resolved") or 0)
    meanwhile = (("Resolved meanwhile", f"{resolved:,}"),) if resolved else ()
    return Message(
        kind=DeliveryKind.DIGEST,
        priority=Priority(delivery.priority),
        title=f"{total:,} {'alert' if total == 1 else 'alerts'} {reason}",
        facts=(*((name, f"{number:,}") for name, number in sorted(by_category.items())), *meanwhile),
        lines=tuple(_line(line, now) for line in lines[:MOST_LINES]),
        count=total,
        alert_url=_link("/alerts"),
        data={"digest": dict(content)},
        key=delivery.key,
        attempt=max(1, delivery.attempts),
        maybe_duplicate=delivery.maybe_duplicate,
        now=now,
    )


def _line(line: Mapping[str, Any], now: datetime) -> str:
    count = int(line.get("count") or 1)
    times = f" ×{count:,}" if count > 1 else ""
    moment = parse_datetime(str(line.get("at") or ""))
    when = f"{at(moment, now=now)} " if moment is not None and timezone.is_aware(moment) else ""
    return f"{when}{line.get('priority', '')} {line.get('title', '')}{times}"


def _facts(alert: Alert) -> tuple[tuple[str, str], ...]:
    """The runbook, labels and details, without what the title says already."""
    runbook = _annotation(alert, "runbook_url", "runbook")
    facts = [("Runbook", runbook)] if runbook else []
    facts += [(name, _plain(value)) for name, value in alert.labels.items() if name != "alertname"]
    facts += [(name, _plain(value)) for name, value in alert.details.items() if name not in alert.labels]
    return tuple(facts[:MOST_FACTS])


def _annotation(alert: Alert, *names: str) -> str:
    return next((str(alert.annotations[name]) for name in names if alert.annotations.get(name)), "")


def _plain(value: Any) -> str:
    """A value as one reads it: lists with commas, objects as `name: value`; numbers as they were given."""
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{name}: {_plain(item)}" for name, item in value.items())
        case list():
            return ", ".join(_plain(item) for item in value)
    return str(value)


def _data(alert: Alert, assignee: str) -> dict[str, Any]:
    """For programs. Part of the webhook's contract (docs/channels.md): names are added, never changed."""
    named = (
        "id", "fingerprint", "category", "priority", "title", "message", "labels", "annotations", "details", "source", "generator_url",
        "state", "count", "starts_at", "first_at", "last_at", "due_at", "escalation", "acknowledged_at", "acknowledged_by",
        "acknowledged_until", "resolved_at", "resolved_by", "resolve_note",
    )  # fmt: skip
    return {**{name: getattr(alert, name) for name in named}, "assignee": assignee}


def _link(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else ""
