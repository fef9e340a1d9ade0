"""The doors to channels."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from alerts.models import Channel, Delivery
from alerts.services import outbox
from alerts.services.changing_channels import (
    GOES_TO,
    MOVED,
    ChannelExists,
    change,
    check,
    create,
    delete,
    moved,
    reseal,
    secret_names,
    tell,
)
from opsconsole.audit.actor import Actor

__all__ = [
    "GOES_TO",
    "MOVED",
    "ChannelExists",
    "change",
    "check",
    "create",
    "delete",
    "moved",
    "reseal",
    "secret_names",
    "test",
]


@transaction.atomic
def test(
    *,
    actor: Actor,
    name: str,
    reason: str,
    now: datetime | None = None,  # noqa: PT028  it is none of pytest's
) -> Delivery:
    """Send a test through the outbox, as every alert goes; also through a channel that is switched off. Raises Channel.DoesNotExist."""
    moment = now or timezone.now()
    channel = Channel.objects.get(name=name)
    delivery = outbox.put_test(channel=channel, content={"by": actor.name}, now=moment)
    tell(actor, "alerts.channel_tested", channel, reason, metadata={"delivery": delivery.pk}, now=moment)
    return delivery
