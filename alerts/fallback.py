"""When a delivery is given up, and who is told in place of a channel that fails."""

from datetime import datetime, timedelta

from alerts.choices import DeliveryKind, DeliveryState, Priority
from alerts.models import Channel, Delivery

# Given up after so many failed tries, or so long after it was written (or sent again by somebody).
MOST_FAILURES = 50
LONGEST = timedelta(hours=24)
STAND_IN_PRIORITIES = (Priority.HIGH, Priority.CRITICAL)


def is_spent(delivery: Delivery, *, failures: int, now: datetime) -> bool:
    """Whether it was tried often and long enough."""
    return failures >= MOST_FAILURES or now - (delivery.resent_at or delivery.created_at) >= LONGEST


def stand_in(delivery: Delivery, *, now: datetime) -> Delivery | None:
    """Tell the fallback of the channel instead, once, if it is urgent. None: there is none, or it is told anyway."""
    channel = delivery.channel
    fallback = channel.fallback if channel else None
    if delivery.priority not in STAND_IN_PRIORITIES or delivery.kind == DeliveryKind.TEST:
        return None
    if fallback is None or not fallback.enabled or delivery.kind == DeliveryKind.EDIT:
        return None
    if fallback.pk in _tried_channels(delivery) or Delivery.objects.filter(instead_of=delivery).exists():
        return None
    if delivery.alert_id is not None and _is_told(delivery, fallback):
        return None
    return Delivery.objects.create(
        alert_id=delivery.alert_id,
        channel=fallback,
        channel_name=fallback.name,
        kind=delivery.kind,
        priority=delivery.priority,
        content=delivery.content,
        created_at=now,
        due_at=now,
        instead_of=delivery,
    )


def _tried_channels(delivery: Delivery) -> set[int | None]:
    """Its channel, and those for which it stands in: fallbacks may form a ring."""
    found: set[int | None] = set()
    current: Delivery | None = delivery
    while current is not None and current.channel_id not in found:
        found.add(current.channel_id)
        current = current.instead_of
    return found


def _is_told(delivery: Delivery, channel: Channel) -> bool:
    """Whether this channel is told the same by a delivery of its own."""
    return Delivery.objects.filter(
        state__in=(DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.SENT),
        alert=delivery.alert,
        channel=channel,
        kind=delivery.kind,
        created_at__gte=delivery.created_at,
    ).exists()
