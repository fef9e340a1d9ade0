"""The outbox: what is to be told through which channel, written in the transaction that decides it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection, transaction

from alerts import kicking, routing
from alerts.choices import DeliveryKind, DeliveryState, Priority
from alerts.models import Alert, Channel, Delivery
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.live.publish import publish


class NotDead(Exception):
    """Only what was given up can be sent again."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(f"Delivery {delivery.pk} is {delivery.state}; only a DEAD one can be sent again.")
        self.delivery = delivery


def put(
    *,
    alerts: Sequence[Alert],
    kind: DeliveryKind,
    now: datetime,
    channels: Sequence[Channel] | None = None,
) -> list[Delivery]:
    """Write what is to be told of these alerts, and wake the workers after the commit. Returns what was written.

    FIRING, REPEAT and ESCALATION go to `channels`, or else to every enabled channel of level 0 that takes their category and priority.
    RESOLVED goes to whatever channel was told; what still waits there is cancelled, and where nothing was told, nothing is written.
    EDIT changes the message that a channel shows, where it can. RuntimeError outside a transaction; ValueError for other kinds.
    """
    _must_be_in_transaction("put")
    if not alerts:
        return []
    if kind == DeliveryKind.RESOLVED:
        wanted = routing.resolved(alerts, now=now)
    elif kind == DeliveryKind.EDIT:
        wanted = routing.edits(alerts, now=now)
    elif kind in routing.TELLING:
        wanted = routing.telling(alerts, kind=kind, now=now, channels=channels)
    else:
        raise ValueError(f"kind: {kind} is not about single alerts")
    return _write(wanted)


def put_digest(
    *, channel: Channel, content: Mapping[str, Any], now: datetime, priority: Priority = Priority.LOW
) -> Delivery:
    """Write one digest; what `content` holds is the renderer's business. RuntimeError outside a transaction."""
    _must_be_in_transaction("put_digest")
    return _write([routing.digest(channel, content=content, now=now, priority=priority)])[0]


def put_test(*, channel: Channel, content: Mapping[str, Any], now: datetime) -> Delivery:
    """Write a message that only shows that the channel works; it is urgent, so that whoever waits has the answer soon."""
    _must_be_in_transaction("put_test")
    return _write(
        [
            Delivery(
                channel=channel,
                channel_name=channel.name,
                kind=DeliveryKind.TEST,
                priority=Priority.CRITICAL,
                content=dict(content),
                created_at=now,
                due_at=now,
            )
        ]
    )[0]


def wake(*, critical: bool) -> None:
    """Have what is due delivered soon. Call it after the commit (`put` does). Returns at once and never raises."""
    kicking.kicker.ask(critical=critical)


@transaction.atomic
def resend(*, actor: Actor, delivery_id: int, reason: str, now: datetime) -> Delivery:
    """Take a delivery back from the dead letters, with all its tries before it. Raises Delivery.DoesNotExist and NotDead."""
    delivery = Delivery.objects.select_for_update(no_key=True).get(pk=delivery_id)
    if delivery.state != DeliveryState.DEAD:
        raise NotDead(delivery)
    before = {"state": delivery.state, "error": delivery.error, "attempts": delivery.attempts}
    delivery.state, delivery.error = DeliveryState.PENDING, ""
    delivery.due_at = delivery.resent_at = now
    delivery.finished_at, delivery.failures = None, 0
    delivery.save(update_fields=["state", "error", "due_at", "resent_at", "finished_at", "failures"])
    record(
        actor=actor,
        action="alerts.delivery_resent",
        obj=delivery,
        reason=reason,
        before=before,
        after={"state": delivery.state},
        now=now,
    )
    publish("deliveries", ids=(delivery.pk,))
    _wake_after_commit([delivery])
    return delivery


def _write(deliveries: Iterable[Delivery]) -> list[Delivery]:
    written = Delivery.objects.bulk_create(deliveries)
    if written:
        publish("deliveries", ids=tuple(delivery.pk for delivery in written[:50]))
        _wake_after_commit(written)
    return written


def _wake_after_commit(deliveries: Sequence[Delivery]) -> None:
    if any(delivery.priority == Priority.CRITICAL for delivery in deliveries):
        transaction.on_commit(partial(wake, critical=True), robust=True)
    if any(delivery.priority != Priority.CRITICAL for delivery in deliveries):
        transaction.on_commit(partial(wake, critical=False), robust=True)


def _must_be_in_transaction(name: str) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError(f"{name}() belongs in the transaction that decides what is told")
