"""When more waits for a channel than it can tell one by one, the rest is told together; nothing is lost, and each row names its digest."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from alerts import pacing, routing
from alerts.channels import transport
from alerts.channels.base import SendFailed
from alerts.choices import AlertState, DeliveryKind, DeliveryState, Priority
from alerts.claims import cancel_without_channel
from alerts.models import Alert, AlertMessage, Channel, Delivery
from opsconsole.live.publish import publish

# So many may wait, and so long, before they are told together. What is CRITICAL is always told by itself.
THRESHOLD = 10
PATIENCE = timedelta(seconds=5)
FOLDABLE = (DeliveryKind.FIRING, DeliveryKind.REPEAT, DeliveryKind.RESOLVED)
# Folded at once, and lines kept of them: the most urgent, and of these the newest.
MOST = 10_000
LINES = 30
# Messages brought up to date at once; edits count against a chat's limits, too.
MOST_EDITS = 50


def tidy(*, now: datetime) -> None:
    """Cancel what can never be sent, and fold what waits too long."""
    cancel_without_channel(now=now)
    for channel_id in _crowded(now=now):
        fold(channel_id, now=now)


@transaction.atomic
def fold(channel_id: int, *, now: datetime) -> Delivery | None:
    """Put what waits for a paced channel into one digest. None: too little waits, or somebody else is at it."""
    channel = (
        Channel.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(pk=channel_id, enabled=True)
        .first()
    )
    if channel is None or not _is_paced(channel):
        return None
    folded = list(
        _foldable(now=now)
        .select_for_update(no_key=True, skip_locked=True, of=("self",))
        .select_related("alert")
        .filter(channel=channel)
        .order_by("pk")[:MOST]
    )
    if len(folded) <= THRESHOLD:
        return None
    digest = _digest(channel, folded, now=now)
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in folded]).update(
        state=DeliveryState.FOLDED,
        finished_at=now,
        content={"digest": digest.pk},
        error=f"Told in digest #{digest.pk}.",
    )
    publish("deliveries", ids=(digest.pk,))
    return digest


@transaction.atomic
def refresh(*, now: datetime) -> int:
    """Write edits for messages whose alert was raised again since they were shown. Returns how many."""
    shown = Coalesce("edited_at", "sent_at")
    stale = (
        AlertMessage.objects.annotate(shown=shown)
        .filter(
            alert__state=AlertState.FIRING,
            alert__last_at__gt=F("shown"),
            shown__lt=now - routing.EDIT_EVERY,
            channel__enabled=True,
        )
        .exclude(external={})
        .order_by("shown")
        .values_list("alert_id", flat=True)[:MOST_EDITS]
    )
    edits = routing.edits(list(Alert.objects.filter(pk__in=list(stale))), now=now)
    return len(Delivery.objects.bulk_create(edits))


def _crowded(*, now: datetime) -> list[int]:
    """Channels for which more than a few wait. Looks at no more rows than it needs to know that."""
    crowded = []
    for channel in Channel.objects.filter(enabled=True):
        # One above the threshold tells it.
        waiting = _foldable(now=now).filter(channel=channel).order_by("due_at", "pk")
        if len(waiting.values_list("pk", flat=True)[: THRESHOLD + 1]) > THRESHOLD and _is_paced(channel):
            crowded.append(channel.pk)
    return crowded


def _foldable(*, now: datetime) -> Any:
    return Delivery.objects.filter(
        ~Q(priority=Priority.CRITICAL),
        state=DeliveryState.PENDING,
        kind__in=FOLDABLE,
        alert__isnull=False,
        resent_at=None,
        created_at__lt=now - PATIENCE,
    )


def _is_paced(channel: Channel) -> bool:
    try:
        return pacing.is_paced(transport(channel).pace)
    except SendFailed:
        return False


def _digest(channel: Channel, folded: Sequence[Delivery], *, now: datetime) -> Delivery:
    """One digest of these: the one that waits already if there is one, with these added to it."""
    priority = max((Priority(delivery.priority) for delivery in folded), key=lambda found: found.rank)
    waiting = (
        Delivery.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(
            channel=channel,
            kind=DeliveryKind.DIGEST,
            state=DeliveryState.PENDING,
            attempts=0,
            content__reason="pressure",
        )
        .first()
    )
    if waiting is None:
        digest = routing.digest(channel, content=_content(folded, {}), now=now, priority=priority)
        digest.save()
        return digest
    waiting.content = _content(folded, waiting.content)
    waiting.priority = max((priority, Priority(waiting.priority)), key=lambda found: found.rank)
    waiting.save(update_fields=["content", "priority"])
    return waiting


def _content(folded: Sequence[Delivery], before: dict[str, Any]) -> dict[str, Any]:
    """What the digest says, as `alerts.channels.compose` has it; `before`: what it said until now."""
    alerts = [delivery.alert for delivery in folded if delivery.alert is not None]
    by_category = Counter(before.get("by_category", {})) + Counter(alert.category for alert in alerts)
    lines = [_line(delivery, delivery.alert) for delivery in folded if delivery.alert is not None]
    lines += before.get("lines", [])
    lines.sort(key=lambda line: (Priority(line["priority"]).rank, line["at"]), reverse=True)
    return {
        "reason": "pressure",
        "total": before.get("total", 0) + len(alerts),
        "by_category": dict(by_category),
        "lines": lines[:LINES],
    }


def _line(delivery: Delivery, alert: Alert) -> dict[str, Any]:
    ended = " (resolved)" if delivery.kind == DeliveryKind.RESOLVED else ""
    return {
        "alert": alert.pk,
        "priority": alert.priority,
        "category": alert.category,
        "title": f"{alert.title}{ended}",
        "count": alert.count,
        "at": alert.last_at.isoformat(),
    }
