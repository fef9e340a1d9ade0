"""Which channel is told what: the rows of the outbox, not written yet. `alerts.services.outbox` writes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from alerts.channels import transport
from alerts.channels.base import SendFailed
from alerts.choices import DeliveryKind, DeliveryState, Priority
from alerts.models import Alert, AlertMessage, Channel, Delivery

# Kinds that tell somebody that an alert fires.
TELLING = (DeliveryKind.FIRING, DeliveryKind.REPEAT, DeliveryKind.ESCALATION)
# Between two edits of one message.
EDIT_EVERY = timedelta(seconds=30)


def can_edit(channel: Channel) -> bool:
    """Whether messages of this channel can be changed. A channel that cannot even be opened cannot."""
    try:
        return transport(channel).can_edit
    except SendFailed:
        return False


def telling(
    alerts: Sequence[Alert], *, kind: DeliveryKind, now: datetime, channels: Sequence[Channel] | None
) -> list[Delivery]:
    if channels is None:
        channels = list(Channel.objects.filter(enabled=True, escalation=0).order_by("pk"))
    waiting: set[tuple[int | None, int | None]] = set()
    if kind != DeliveryKind.FIRING:
        pending = Delivery.objects.filter(alert__in=alerts, state=DeliveryState.PENDING)
        urgent = [alert for alert in alerts if alert.priority == Priority.CRITICAL]
        # What waits for the same alert goes first, so it must not hold back what has become urgent.
        pending.filter(alert__in=urgent).update(priority=Priority.CRITICAL)
        if kind == DeliveryKind.REPEAT:
            # Its text is made when it is sent: it tells of the repeat, too.
            waiting = set(pending.filter(kind__in=TELLING).values_list("alert_id", "channel_id"))
    return [
        _delivery(alert, channel.pk, channel.name, kind=kind, now=now)
        for alert in alerts
        for channel in channels
        if takes(channel, alert) and (alert.pk, channel.pk) not in waiting
    ]


def takes(channel: Channel, alert: Alert) -> bool:
    """Whether the channel is told of alerts of this category and priority."""
    if channel.categories and alert.category not in channel.categories:
        return False
    return Priority(alert.priority).rank >= Priority(channel.min_priority).rank


def resolved(alerts: Sequence[Alert], *, now: datetime) -> list[Delivery]:
    of_alerts = Delivery.objects.filter(alert__in=alerts, kind__in=(*TELLING, DeliveryKind.EDIT))
    # A claim that is being made at this moment holds its row: then this waits, and sees it as SENDING.
    of_alerts.filter(state=DeliveryState.PENDING, resent_at=None).update(
        state=DeliveryState.CANCELLED, finished_at=now, error="Resolved before it was sent."
    )
    told = Q(state__in=(DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.FOLDED)) | Q(
        maybe_duplicate=True
    )
    places = (
        of_alerts.filter(told, kind__in=TELLING, channel__isnull=False)
        .order_by("alert_id", "channel_id")
        .values_list("alert_id", "channel_id", "channel__name")
        .distinct()
    )
    by_id = {alert.pk: alert for alert in alerts}
    return [
        _delivery(by_id[alert_id or 0], channel_id or 0, str(name), kind=DeliveryKind.RESOLVED, now=now)
        for alert_id, channel_id, name in places
    ]


def edits(alerts: Sequence[Alert], *, now: datetime, channel: Channel | None = None) -> list[Delivery]:
    """Changes of the messages that channels (or just `channel`) show for these alerts, where they can be changed and none waits yet."""
    messages = list(
        # Locked, so that two that want the same edit write one.
        AlertMessage.objects.select_for_update(no_key=True, of=("self",))
        .select_related("channel")
        .filter(*([Q(channel=channel)] if channel else []), alert__in=alerts, channel__enabled=True)
        .exclude(external={})
        .order_by("pk")
    )
    pending = Delivery.objects.filter(
        alert__in=alerts, kind=DeliveryKind.EDIT, state=DeliveryState.PENDING
    ).values_list("alert_id", "channel_id")
    waiting = set(pending)
    editable = {channel: can_edit(channel) for channel in {message.channel for message in messages}}
    by_id = {alert.pk: alert for alert in alerts}
    wanted = []
    for message in messages:
        if (message.alert_id, message.channel_id) in waiting or not editable[message.channel]:
            continue
        edit = _delivery(
            by_id[message.alert_id], message.channel_id, message.channel.name, kind=DeliveryKind.EDIT, now=now
        )
        if message.edited_at:
            edit.due_at = max(now, message.edited_at + EDIT_EVERY)
        wanted.append(edit)
    return wanted


def _delivery(
    alert: Alert, channel_id: int, channel_name: str, *, kind: DeliveryKind, now: datetime
) -> Delivery:
    return Delivery(
        alert_id=alert.pk,
        channel_id=channel_id,
        channel_name=channel_name,
        kind=kind,
        # An edit is never urgent: it makes no sound.
        priority=Priority.LOW if kind == DeliveryKind.EDIT else alert.priority,
        created_at=now,
        due_at=now,
    )


def digest(channel: Channel, *, content: Mapping[str, Any], now: datetime, priority: Priority) -> Delivery:
    return Delivery(
        channel=channel,
        channel_name=channel.name,
        kind=DeliveryKind.DIGEST,
        priority=priority,
        content=dict(content),
        created_at=now,
        due_at=now,
    )
