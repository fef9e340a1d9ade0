"""Who sends what: a worker claims one delivery at a time, writes down that it is about to try, and only then calls the channel.

Claims run out, so that what a dead worker held is sent by another. Nobody waits for a lock here: what another worker has is passed over.
Order of locks: the channel's row, then deliveries; all NO KEY UPDATE, which foreign keys of new deliveries do not wait for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from alerts import guarding, holding, pacing
from alerts.channels import transport
from alerts.channels.base import SEND_LIMIT, SendFailed, Transport
from alerts.choices import AlertState, DeliveryKind, DeliveryState, Priority
from alerts.guarding import FREE, Held, Permit
from alerts.models import AlertMessage, Channel, Delivery, DeliveryAttempt
from alerts.routing import TELLING

NO_GRACE = timedelta(0)
# Longer than any send; a claim that has run out belongs to a worker that died, or hangs for good.
LEASE = timedelta(seconds=SEND_LIMIT + 25)
# Sends through one channel at the same time; only urgent ones may use the rest. So a channel that hangs does not take every worker.
IN_FLIGHT = 2
IN_FLIGHT_URGENT = 4
# Put off in one transaction, while their channel fails; the next look goes on.
MOST_HELD = 100

# Channels that may be used now and have something due, those with something urgent first, the others in any order.
OPEN_CHANNELS = """
SELECT c.id FROM alerts_channel c
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM alerts_delivery d
        WHERE d.channel_id = c.id AND d.state = 'PENDING' AND d.priority = 'CRITICAL' AND d.due_at <= %(due)s
    ) AS urgent
) u
CROSS JOIN LATERAL (
    SELECT count(*) AS sending FROM alerts_delivery d
    WHERE d.channel_id = c.id AND d.state = 'SENDING' AND d.claimed_until > %(now)s
) s
WHERE (c.next_at IS NULL OR c.next_at <= %(now)s)
    AND s.sending < CASE WHEN u.urgent THEN %(urgent_limit)s ELSE %(limit)s END
    AND (u.urgent OR NOT %(critical)s AND EXISTS (
        SELECT FROM alerts_delivery d WHERE d.channel_id = c.id AND d.state = 'PENDING' AND d.due_at <= %(due)s
    ))
ORDER BY u.urgent DESC, random()
"""
# What came before for the same alert and channel goes first.
NEXT = """
SELECT d.id FROM alerts_delivery d
WHERE d.channel_id = %(channel)s AND d.state = 'PENDING' AND d.due_at <= %(due)s AND {lane}
    AND NOT EXISTS (
        SELECT FROM alerts_delivery e
        WHERE e.alert_id = d.alert_id AND e.channel_id = d.channel_id AND e.id < d.id AND e.kind <> 'edit'
            AND e.state IN ('PENDING', 'SENDING')
    )
ORDER BY d.due_at, d.id LIMIT 1 FOR NO KEY UPDATE OF d SKIP LOCKED
"""
URGENT = NEXT.format(lane="d.priority = 'CRITICAL'")
ORDINARY = NEXT.format(lane="d.priority <> 'CRITICAL' AND d.kind <> 'edit'")
EDITS = NEXT.format(lane="d.kind = 'edit'")


@dataclass(frozen=True, slots=True)
class Claim:
    """One try of one delivery, by this worker alone until `delivery.claimed_until`. `transport` is None when it cannot be opened: see `broken`."""

    delivery: Delivery
    channel: Channel
    token: UUID
    attempt_id: int
    transport: Transport | None
    broken: SendFailed | None = None
    # For this try; told how it has ended.
    permit: Permit = FREE


def claim_next(*, critical: bool, now: datetime, grace: timedelta = NO_GRACE) -> Claim | None:
    """Claim what is due and goes first; with `critical`, only what is urgent. None: there is nothing that may be sent now.

    `grace`: leave alone what is due for less than this.
    """
    due = now - grace
    again = True
    while again:
        again = False
        for channel_id in _open_channels(critical=critical, now=now, due=due):
            with transaction.atomic():
                claim, stands_in = _claim_from(channel_id, critical=critical, now=now, due=due)
            if claim is not None:
                return claim
            # What was written for a fallback just now is due at once.
            again = again or stands_in
    return None


def next_time(*, critical: bool, now: datetime) -> datetime | None:
    """When there may be something to send again, no earlier than now. None: nothing waits and nothing is being sent."""
    unfinished = Delivery.objects.filter(channel__isnull=False)
    if critical:
        unfinished = unfinished.filter(priority=Priority.CRITICAL)
    due = (
        unfinished.filter(state=DeliveryState.PENDING)
        .order_by("due_at")
        .values_list("due_at", "channel__next_at")
        .first()
    )
    held = (
        unfinished.filter(state=DeliveryState.SENDING)
        .order_by("claimed_until")
        .values_list("claimed_until", flat=True)
        .first()
    )
    times = [max(due[0], due[1] or due[0])] if due else []
    times += [held] if held else []
    return max(now, min(times)) if times else None


def _open_channels(*, critical: bool, now: datetime, due: datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            OPEN_CHANNELS,
            {
                "now": now,
                "due": due,
                "critical": critical,
                "limit": IN_FLIGHT,
                "urgent_limit": IN_FLIGHT_URGENT,
            },
        )
        return [row[0] for row in cursor.fetchall()]


def _claim_from(
    channel_id: int, *, critical: bool, now: datetime, due: datetime
) -> tuple[Claim | None, bool]:
    """A claim; and whether fallbacks are told in place of what must wait since the channel fails."""
    channel = Channel.objects.filter(pk=channel_id).first()
    if channel is None:
        return None, False
    opened, broken = _open(channel)
    pace = opened.pace if opened and pacing.is_paced(opened.pace) else None
    if pace:
        free = Q(next_at=None) | Q(next_at__lte=now)
        channel = _locked(Channel.objects.filter(free, pk=channel_id))
        if channel is None:
            return None, False
    held, stands_in = 0, False
    for delivery in _candidates(channel_id, critical=critical, due=due):
        if reason := _not_worth_telling(delivery, channel):
            cancel(delivery, reason, now=now)
            continue
        urgent = delivery.priority == Priority.CRITICAL
        slot = pacing.take(channel.sent_times, pace, now=now, urgent=urgent) if pace else None
        if pace and slot is None:
            break
        permit = guarding.enter(guarding.name_of(channel), urgent=urgent) if opened else FREE
        if isinstance(permit, Held):
            stands_in = holding.hold(delivery, permit, now=now) or stands_in
            held += 1
            if held >= MOST_HELD:
                break
            continue
        if slot is not None:
            channel.next_at, channel.sent_times = slot.next_at, slot.times
            channel.save(update_fields=["next_at", "sent_times"])
        return _claim(delivery, channel, opened, broken, permit, now=now), stands_in
    return None, stands_in


def _locked(channels: QuerySet[Channel]) -> Channel | None:
    return channels.select_for_update(no_key=True, skip_locked=True).first()


def _open(channel: Channel) -> tuple[Transport | None, SendFailed | None]:
    try:
        return transport(channel), None
    except SendFailed as error:
        return None, error


def _candidates(channel_id: int, *, critical: bool, due: datetime) -> Iterator[Delivery]:
    """Locked, one after the other as long as the caller goes on."""
    for statement in (URGENT,) if critical else (URGENT, ORDINARY, EDITS):
        while True:
            with connection.cursor() as cursor:
                cursor.execute(statement, {"channel": channel_id, "due": due})
                row = cursor.fetchone()
            if row is None:
                break
            yield Delivery.objects.select_related("alert").get(pk=row[0])


def _claim(
    delivery: Delivery,
    channel: Channel,
    opened: Transport | None,
    broken: SendFailed | None,
    permit: Permit,
    *,
    now: datetime,
) -> Claim:
    delivery.state, delivery.claim, delivery.claimed_until = DeliveryState.SENDING, uuid4(), now + LEASE
    delivery.attempts += 1
    delivery.save(update_fields=["state", "claim", "claimed_until", "attempts"])
    attempt = DeliveryAttempt.objects.create(delivery=delivery, number=delivery.attempts, started_at=now)
    return Claim(delivery, channel, delivery.claim, attempt.pk, opened, broken, permit)


def cancel(delivery: Delivery, reason: str, *, now: datetime) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.CANCELLED, finished_at=now, error=reason, claim=None, claimed_until=None
    )


def cancel_without_channel(*, now: datetime) -> int:
    """What waits for a channel that has been deleted will never be sent."""
    return Delivery.objects.filter(state=DeliveryState.PENDING, channel=None).update(
        state=DeliveryState.CANCELLED, finished_at=now, error="The channel was deleted."
    )


def _not_worth_telling(delivery: Delivery, channel: Channel) -> str:
    """Why this is not sent any more; empty: it is. What a person asked for is sent."""
    if delivery.kind == DeliveryKind.TEST or delivery.resent_at:
        return ""
    if not channel.enabled:
        return "The channel was switched off."
    if delivery.alert is None:
        return ""
    if delivery.kind in TELLING and delivery.alert.state == AlertState.RESOLVED:
        return "Resolved before it was sent."
    if delivery.kind == DeliveryKind.RESOLVED and not _was_told(delivery):
        return "Nobody was told here that it fired."
    if (
        delivery.kind == DeliveryKind.EDIT
        and not AlertMessage.objects.filter(alert=delivery.alert, channel=channel).exists()
    ):
        return "There is no message to edit."
    return ""


def _was_told(resolved: Delivery) -> bool:
    told = Q(state__in=(DeliveryState.SENT, DeliveryState.FOLDED)) | Q(maybe_duplicate=True)
    return Delivery.objects.filter(
        told, alert=resolved.alert, channel=resolved.channel, kind__in=TELLING
    ).exists()
