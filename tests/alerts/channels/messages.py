"""Messages to send."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from alerts.channels.message import Message
from alerts.choices import AlertState, DeliveryKind, Priority

NOW = datetime(2026, 11, 23, 14, 31, 20, tzinfo=UTC)
RAISED = datetime(2026, 11, 23, 14, 13, 7, tzinfo=UTC)
KEY = UUID("5f0c1b9e-7a57-4d40-9a3f-0d4f3d2f8a11")
# What breaks a careless formatter: markup, a mention, an accent apart, right-to-left with an override, control characters.
NASTY = "<b>5% & </b> <!channel> *x* _y_ e\u0301 \u202eevil\u202c שלום \x00\x1b[31m\r\n&amp; 👩‍👩‍👧"


def message(**changed: Any) -> Message:
    """A CRITICAL alert that is firing for the first time."""
    given: dict[str, Any] = {
        "kind": DeliveryKind.FIRING,
        "priority": Priority.CRITICAL,
        "category": "RISK_WARNING",
        "title": "Drawdown above 5%",
        "text": "Portfolio drawdown is −5.2%, limit 5%.",
        "facts": (("symbol", "IBM"), ("drawdown", "−5.2%")),
        "first_at": RAISED,
        "last_at": RAISED,
        "thread": "alert-12",
        "key": KEY,
        "now": NOW,
    }
    return Message(**(given | changed))


def resolved(**changed: Any) -> Message:
    given = {
        "kind": DeliveryKind.RESOLVED,
        "state": AlertState.RESOLVED,
        "resolved_at": RAISED + timedelta(minutes=27),
        "resolved_by": "dana",
    }
    return message(**(given | changed))
