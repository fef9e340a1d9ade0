"""Which channel was told of an alert, and why the others were not."""

from collections.abc import Iterable
from dataclasses import dataclass

from alerts.choices import Decision, Priority
from alerts.models import Alert, Channel, Delivery


@dataclass(frozen=True, slots=True)
class Told:
    """`delivery`: its number and state, None where there is none; then `why` says why not."""

    channel: str
    kind: str
    delivery: int | None
    state: str | None
    why: str


def told(alert: Alert, deliveries: Iterable[Delivery]) -> list[Told]:
    """Every channel, those that were told first. `deliveries`: those of the alert, oldest first."""
    newest = {delivery.channel_id: delivery for delivery in deliveries}
    rows = [_told(alert, channel, newest.get(channel.pk)) for channel in Channel.objects.all()]
    return sorted(rows, key=lambda row: row.delivery is None)


def _told(alert: Alert, channel: Channel, delivery: Delivery | None) -> Told:
    if delivery is not None:
        return Told(channel.name, channel.kind, delivery.pk, delivery.state, "told")
    return Told(channel.name, channel.kind, None, None, _why_not(alert, channel))


def _why_not(alert: Alert, channel: Channel) -> str:
    if not channel.enabled:
        return "the channel is off"
    if alert.decision != Decision.SENT:
        return "the alert was not sent"
    if channel.categories and alert.category not in channel.categories:
        return f"told only of {', '.join(channel.categories)}"
    if Priority(alert.priority).rank < Priority(channel.min_priority).rank:
        return f"told only from {channel.min_priority} on"
    if channel.escalation > alert.escalation:
        return f"told only by escalation {channel.escalation}"
    return "not told"
