"""Alerts and channels for tests of the outbox, without the decision that would send them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from django.db import transaction

from alerts.channels.base import Pace, Receipt, SendFailed
from alerts.channels.http import post, seconds_to_wait
from alerts.channels.message import Message
from alerts.choices import AlertState, Category, ChannelKind, Decision, DeliveryKind, Priority
from alerts.models import Alert, Channel, Delivery
from alerts.sealing import seal
from alerts.services import outbox
from tests.alerts.receiver import Receiver

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_numbers = count(1)


@dataclass
class Clock:
    """Stands still unless it is set on."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def a_channel(receiver: Receiver, name: str = "desk", **fields: Any) -> Channel:
    """A webhook to this receiver."""
    return Channel.objects.create(
        name=name,
        kind=ChannelKind.WEBHOOK,
        secrets=seal({"url": receiver.url}),
        created_at=NOW,
        updated_at=NOW,
        **fields,
    )


def an_alert(
    *, title: str = "Volatility", priority: Priority = Priority.MEDIUM, now: datetime = NOW, **fields: Any
) -> Alert:
    """One that was decided to be sent."""
    return Alert.objects.create(
        fingerprint=UUID(int=next(_numbers)),
        category=fields.pop("category", Category.RISK_WARNING),
        priority=priority,
        title=title,
        source="tests",
        starts_at=now,
        first_at=now,
        last_at=now,
        decision=Decision.SENT,
        decided_at=now,
        sent_count=1,
        **fields,
    )


def resolve(alert: Alert, *, now: datetime = NOW) -> None:
    alert.state, alert.resolved_at = AlertState.RESOLVED, now
    alert.save(update_fields=["state", "resolved_at"])


def put(
    *alerts: Alert,
    kind: DeliveryKind = DeliveryKind.FIRING,
    now: datetime = NOW,
    channels: Sequence[Channel] | None = None,
) -> list[Delivery]:
    with transaction.atomic():
        return outbox.put(alerts=alerts, kind=kind, now=now, channels=channels)


def delivery_of(**fields: Any) -> Delivery:
    return Delivery.objects.select_related("alert", "channel").get(**fields)


class Chat:
    """A chat at the loopback receiver. Settings: `url`, and `per_second` and `per_minute` of its pace."""

    kind = ChannelKind.SLACK.value
    can_edit = True

    def __init__(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        del secrets
        self._url = settings["url"]
        self.pace = Pace(settings.get("per_second"), settings.get("per_minute"))

    def send(self, message: Message) -> Receipt:
        return self._post({"do": "send", "reply_to": message.reply_to}, message)

    def edit(self, message: Message, external: Mapping[str, Any]) -> Receipt:
        return self._post({"do": "edit", "message": external["message"]}, message)

    def _post(self, body: dict[str, Any], message: Message) -> Receipt:
        body |= {
            "kind": message.kind,
            "title": message.title,
            "count": message.count,
            "state": message.state,
            "lines": message.lines,
            "maybe_duplicate": message.maybe_duplicate,
        }
        answer = post(self._url, json.dumps(body).encode(), {"Idempotency-Key": str(message.key)})
        if answer.status >= 300:
            raise SendFailed(
                f"HTTP {answer.status}",
                status=answer.status,
                permanent=answer.status == 403,
                retry_after=seconds_to_wait(answer),
            )
        return Receipt({"message": int(answer.headers["x-number"])})


def a_chat(
    receiver: Receiver, name: str = "chat", *, fields: Mapping[str, Any] = {}, **settings: Any
) -> Channel:
    """A channel at the receiver where messages can be edited; `settings` of `Chat`."""
    return Channel.objects.create(
        name=name,
        kind=ChannelKind.SLACK,
        settings={"url": receiver.url, **settings},
        created_at=NOW,
        updated_at=NOW,
        **fields,
    )
