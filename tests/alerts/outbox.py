"""Alerts and channels for tests of the outbox, without the decision that would send them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from alerts.choices import AlertState, Category, ChannelKind, Decision, Priority
from alerts.models import Alert, Channel
from alerts.sealing import seal
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
