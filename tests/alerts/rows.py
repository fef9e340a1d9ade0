"""Rows that tests of alerts begin with: an alert that was told, and channels."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from alerts.models import Alert, Channel
from alerts.sealing import seal

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
# A Telegram bot's token; its id is 4711.
BOT = "4711:AAHtest-token-of-a-bot-that-is-nowhere"


def firing(**fields: Any) -> Alert:
    """An alert that was told at NOW, HIGH, due in 15 minutes; `fields` override."""
    given = {
        "fingerprint": uuid4(),
        "category": "RISK_WARNING",
        "priority": "HIGH",
        "title": "Volatility of TSLA",
        "labels": {"symbol": "TSLA"},
        "source": "api",
        "starts_at": NOW,
        "first_at": NOW,
        "last_at": NOW,
        "decision": "SENT",
        "decided_at": NOW,
        "sent_at": NOW,
        "last_sent_at": NOW,
        "sent_count": 1,
        "due_at": NOW + timedelta(minutes=15),
        "escalate_at": NOW + timedelta(minutes=15),
    }
    return Alert.objects.create(**given | fields)


def a_channel(
    name: str = "desk", kind: str = "webhook", *, secrets: dict[str, str] | None = None, **fields: Any
) -> Channel:
    given = {"kind": kind, "secrets": seal(secrets or {}), "created_at": NOW, "updated_at": NOW}
    return Channel.objects.create(name=name, **given | fields)
