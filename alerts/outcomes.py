"""What became of a try: written after the call, and only by the worker whose claim still holds."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from alerts import pacing, routing
from alerts.channels.base import Receipt, SendFailed
from alerts.choices import AttemptOutcome, DeliveryKind, DeliveryState
from alerts.claims import Claim
from alerts.fallback import is_spent, stand_in
from alerts.models import AlertMessage, Channel, Delivery, DeliveryAttempt
from alerts.services.changing_channels import moved

# From this failed try on, an urgent delivery also goes to the fallback channel.
FALLBACK_AFTER = 2
# The time of the last success need not be more exact than this: every worker writes it.
HEALTH_EVERY = timedelta(seconds=1)
# Put back at once; the next worker that looks takes the rest.
MOST_RECLAIMED = 500
ENDED = "The process that was sending it ended; it may have arrived."


@transaction.atomic
def sent(claim: Claim, receipt: Receipt, *, now: datetime) -> bool:
    """It has arrived. Returns whether the claim still held; if not, only the try itself is completed."""
    _complete(claim, AttemptOutcome.SENT, now=now)
    changed = _finish(
        claim, state=DeliveryState.SENT, finished_at=now, error="", due_at=claim.delivery.due_at
    )
    if changed:
        _keep_message(claim, receipt, now=now)
    _healthy(claim.channel, receipt, now=now)
    return changed


@transaction.atomic
def failed(claim: Claim, error: SendFailed, *, now: datetime) -> bool:
    """It was not sent, or nobody knows: try again later, or give up; what is urgent also goes to the fallback. Returns as `sent`."""
    throttled = is_throttled(error)
    _complete(claim, _outcome(error), now=now, error=error)
    delivery = claim.delivery
    failures = delivery.failures + (0 if throttled else 1)
    gives_up = error.permanent or is_spent(delivery, failures=failures, now=now)
    wait = pacing.delay(max(1, failures))
    if error.retry_after is not None:
        wait = max(wait, timedelta(seconds=error.retry_after))
    changed = _finish(
        claim,
        state=DeliveryState.DEAD if gives_up else DeliveryState.PENDING,
        finished_at=now if gives_up else None,
        due_at=delivery.due_at if gives_up else now + wait,
        failures=failures,
        maybe_duplicate=delivery.maybe_duplicate or error.maybe_delivered,
        error=error.text,
    )
    _unhealthy(claim.channel, error, now=now)
    if changed and (gives_up or failures >= FALLBACK_AFTER or claim.permit.in_doubt):
        stand_in(delivery, now=now)
    return changed


@transaction.atomic
def reclaim(*, now: datetime) -> int:
    """Put back what workers held that have died, marked as perhaps told already. Returns how many."""
    lost = list(
        Delivery.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(state=DeliveryState.SENDING, claimed_until__lte=now)
        .order_by("pk")[:MOST_RECLAIMED]
    )
    DeliveryAttempt.objects.filter(delivery__in=lost, outcome=AttemptOutcome.OPEN).update(
        outcome=AttemptOutcome.UNKNOWN, finished_at=now, error=ENDED
    )
    for delivery in lost:
        delivery.failures += 1
        gives_up = is_spent(delivery, failures=delivery.failures, now=now)
        delivery.state = DeliveryState.DEAD if gives_up else DeliveryState.PENDING
        delivery.finished_at, delivery.due_at = (now, delivery.due_at) if gives_up else (None, now)
        delivery.claim = delivery.claimed_until = None
        delivery.maybe_duplicate, delivery.error = True, ENDED
        delivery.save()
        if gives_up or delivery.failures >= FALLBACK_AFTER:
            stand_in(delivery, now=now)
    return len(lost)


def is_throttled(error: SendFailed) -> bool:
    """Told to wait, which is no failure of the channel."""
    return not error.permanent and (error.retry_after is not None or error.status == 429)


def _outcome(error: SendFailed) -> AttemptOutcome:
    if error.permanent:
        return AttemptOutcome.REFUSED
    if is_throttled(error):
        return AttemptOutcome.THROTTLED
    return AttemptOutcome.UNKNOWN if error.maybe_delivered else AttemptOutcome.FAILED


def _complete(
    claim: Claim, outcome: AttemptOutcome, *, now: datetime, error: SendFailed | None = None
) -> None:
    DeliveryAttempt.objects.filter(pk=claim.attempt_id).update(
        outcome=outcome,
        finished_at=now,
        status=error.status if error else None,
        error=error.text if error else "",
        retry_after=error.retry_after if error else None,
    )


def _finish(claim: Claim, **fields: object) -> bool:
    """Compare and swap on the claim: a worker whose claim was taken over changes nothing."""
    mine = Delivery.objects.filter(pk=claim.delivery.pk, claim=claim.token, state=DeliveryState.SENDING)
    return bool(mine.update(claim=None, claimed_until=None, **fields))


def _keep_message(claim: Claim, receipt: Receipt, *, now: datetime) -> None:
    """The first message of an incident is the one that is edited and answered; a later one has it edited."""
    delivery = claim.delivery
    if delivery.alert is None:
        return
    mine = AlertMessage.objects.filter(alert=delivery.alert, channel=claim.channel)
    if delivery.kind == DeliveryKind.EDIT:
        mine.update(edited_at=now)
    elif mine.exists():
        edits = routing.edits([delivery.alert], now=now, channel=claim.channel)
        Delivery.objects.bulk_create(edits)
    elif receipt.external and delivery.kind in routing.TELLING:
        AlertMessage.objects.bulk_create(
            [
                AlertMessage(
                    alert=delivery.alert,
                    channel=claim.channel,
                    external=dict(receipt.external),
                    sent_at=now,
                )
            ],
            ignore_conflicts=True,
        )


def _healthy(channel: Channel, receipt: Receipt, *, now: datetime) -> None:
    stale = Q(last_success_at=None) | Q(last_success_at__lt=now - HEALTH_EVERY) | ~Q(failures_in_a_row=0)
    Channel.objects.filter(stale, pk=channel.pk).update(
        last_success_at=now, failures_in_a_row=0, last_error=""
    )
    if receipt.settings:
        moved(channel_id=channel.pk, settings=receipt.settings, now=now)


def _unhealthy(channel: Channel, error: SendFailed, *, now: datetime) -> None:
    current = Channel.objects.select_for_update(no_key=True).filter(pk=channel.pk).first()
    if current is None:
        return
    waits = [current.next_at] if current.next_at else []
    if error.retry_after is not None:
        # The others wait, too.
        waits.append(now + timedelta(seconds=error.retry_after))
    if not is_throttled(error):
        current.failures_in_a_row += 1
        current.last_failure_at, current.last_error = now, error.text
        if rest := pacing.pause(current.failures_in_a_row):
            waits.append(now + rest)
    current.next_at = max(waits) if waits else None
    current.save(update_fields=["failures_in_a_row", "last_failure_at", "last_error", "next_at"])
