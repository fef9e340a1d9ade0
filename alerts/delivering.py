"""Sending what is due: claim, call the channel outside of any transaction, write down what came of it."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.utils import timezone

from alerts import claims, outcomes
from alerts.channels.base import Receipt, SendFailed
from alerts.channels.compose import message_of
from alerts.channels.message import Button
from alerts.chat.buttons import buttons_for
from alerts.choices import DeliveryKind
from alerts.claims import Claim
from alerts.models import AlertMessage
from alerts.routing import TELLING
from opsconsole.live.publish import publish

logger = logging.getLogger(__name__)

# After so long the worker looks at its queue again; what is left, the next message or tick goes on with.
LONGEST_SECONDS = 20.0
# Pages are told of changes at most so often.
TELL_SECONDS = 0.5


def drain(
    *,
    critical: bool,
    clock: Callable[[], datetime] = timezone.now,
    grace: timedelta = timedelta(0),
    seconds: float = LONGEST_SECONDS,
) -> int:
    """Send what is due, one after the other, until nothing may be sent now. Returns how many tries were made.

    `critical`: only what is urgent; otherwise all of it, the urgent first. `grace`: leave alone what is due for less than this.
    """
    outcomes.reclaim(now=clock())
    told = _Told()
    ends, tries = monotonic() + seconds, 0
    try:
        while monotonic() < ends and (
            claim := claims.claim_next(critical=critical, now=clock(), grace=grace)
        ):
            tries += 1
            deliver(claim, clock=clock)
            told.note(claim)
    finally:
        told.tell()
    return tries


def deliver(claim: Claim, *, clock: Callable[[], datetime] = timezone.now) -> bool:
    """One try, and its outcome. Returns whether the claim still held at its end."""
    try:
        receipt = _call(claim, now=clock())
    except SendFailed as error:
        claim.permit.ended(error)
        return outcomes.failed(claim, error, now=clock())
    except Exception as error:
        claim.permit.ended(error)
        # A fault of ours. Its text may hold anything, so neither row nor page shows it.
        logger.exception("Delivery %s could not be sent", claim.delivery.pk)
        fault = SendFailed(
            f"A fault of the console ({type(error).__name__}); it may have arrived", maybe_delivered=True
        )
        return outcomes.failed(claim, fault, now=clock())
    claim.permit.ended(None)
    return outcomes.sent(claim, receipt, now=clock())


def _call(claim: Claim, *, now: datetime) -> Receipt:
    if claim.transport is None:
        raise claim.broken or SendFailed("the channel cannot be opened", permanent=True)
    delivery = claim.delivery
    shown = (
        AlertMessage.objects.filter(alert=delivery.alert, channel=claim.channel).first()
        if delivery.alert
        else None
    )
    message = message_of(
        delivery, buttons=_buttons(claim, now=now), reply_to=shown.external if shown else None, now=now
    )
    if delivery.kind != DeliveryKind.EDIT:
        return claim.transport.send(message)
    if shown is None:
        raise SendFailed("there is no message to edit", permanent=True)
    return claim.transport.edit(message, shown.external)


def _buttons(claim: Claim, *, now: datetime) -> list[Button]:
    alert, kind = claim.delivery.alert, DeliveryKind(claim.delivery.kind)
    if alert is None or (kind not in TELLING and kind != DeliveryKind.EDIT):
        return []
    return buttons_for(alert=alert, channel=claim.channel, now=now)


class _Told:
    """Collects what has changed, and tells the pages of it now and then: each notice is work for every commit of the server."""

    def __init__(self) -> None:
        self._deliveries: list[int] = []
        self._channels: set[int] = set()
        self._last = monotonic()

    def note(self, claim: Claim) -> None:
        self._deliveries.append(claim.delivery.pk)
        self._channels.add(claim.channel.pk)
        if monotonic() - self._last >= TELL_SECONDS:
            self.tell()

    def tell(self) -> None:
        if not self._deliveries:
            return
        with transaction.atomic():
            publish("deliveries", ids=tuple(self._deliveries[-50:]))
            publish("channels", ids=tuple(self._channels))
        self._deliveries, self._channels, self._last = [], set(), monotonic()
