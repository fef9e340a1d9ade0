"""Alerts as rows, in whatever state a page has to show; the engine's own tests say how they come to be."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from alerts.choices import AlertState, AttemptOutcome, Decision, DeliveryKind, DeliveryState, Priority
from alerts.models import Alert, Channel, Delivery, DeliveryAttempt, Silence

NOT_FORCED = {"gate": "force", "passed": True, "forced": False}
ENABLED = {"gate": "enabled", "passed": True}
SILENCE = {"gate": "silence", "passed": True, "active": 2}
EXPECTED = {"gate": "expected", "passed": True}
MINIMUM = {"gate": "minimum_priority", "passed": True, "priority": "HIGH", "minimum": "LOW"}
DEDUPE = {
    "gate": "dedupe",
    "passed": True,
    "window_minutes": 15,
    "last_sent_at": None,
    "age_seconds": None,
}
RATE = {"gate": "rate_limit", "passed": True, "sent": 2, "limit": 20, "hour": "2026-11-23T14:00:00+00:00"}
QUIET = {
    "gate": "quiet_hours",
    "passed": True,
    "local": "14:13",
    "start": 22,
    "end": 7,
    "zone": "America/New_York",
    "passes": "CRITICAL",
}
GATES: list[dict[str, Any]] = [
    *(NOT_FORCED, ENABLED, SILENCE, EXPECTED),
    *(MINIMUM, DEDUPE, RATE, QUIET),
]
HELD: dict[str, dict[str, Any]] = {
    Decision.DISABLED: {},
    Decision.SILENCED: {"by": "dana", "comment": "deploy", "silence": str(uuid4())},
    Decision.EXPECTED: {"because": {"kind": "halt", "scope": "symbol:IBM", "activation": 1}},
    Decision.BELOW_MINIMUM: {"minimum": "CRITICAL"},
    Decision.DEDUPED: {"age_seconds": 251.0},
    Decision.RATE_LIMITED: {"sent": 20},
    Decision.QUIET_HOURS: {"local": "23:14"},
}
HOLDS = (
    *(Decision.DISABLED, Decision.SILENCED, Decision.EXPECTED, Decision.BELOW_MINIMUM),
    *(Decision.DEDUPED, Decision.RATE_LIMITED, Decision.QUIET_HOURS),
)


def trace_of(decision: str) -> list[dict[str, Any]]:
    """The gates up to the one that held it."""
    if decision == Decision.SENT:
        return GATES
    at = HOLDS.index(Decision(decision)) + 1
    return [*GATES[:at], {**GATES[at], **HELD[decision], "passed": False}]


def an_alert(title: str = "IBM volatility above its limit", *, age_s: float = 60, **values: Any) -> Alert:
    """HIGH, RISK_WARNING and sent a minute ago, due a quarter of an hour after, unless said otherwise."""
    at: datetime = timezone.now() - timedelta(seconds=age_s)
    decision = values.setdefault("decision", Decision.SENT)
    sent = decision == Decision.SENT
    given = {
        "fingerprint": uuid4(),
        "category": "RISK_WARNING",
        "priority": Priority.HIGH,
        "title": title,
        "message": "Annualised volatility over 30 min is 52.3%; the limit is 50%.",
        "labels": {"symbol": "IBM"},
        "source": "api",
        "raised_by": "trader via desk-1",
        "starts_at": at,
        "first_at": at,
        "last_at": at,
        "decided_at": at,
        "trace": trace_of(decision),
        "sent_count": int(sent),
        "sent_at": at if sent else None,
        "last_sent_at": at if sent else None,
        "due_at": at + timedelta(minutes=15) if sent else None,
        "escalate_at": at + timedelta(minutes=15) if sent else None,
        "held": decision == Decision.QUIET_HOURS,
    }
    return Alert.objects.create(**given | values)


def resolved(title: str = "Feed of AAPL is late", **values: Any) -> Alert:
    return an_alert(
        title, state=AlertState.RESOLVED, resolved_at=timezone.now(), escalate_at=None, age_s=600, **values
    )


def a_channel(name: str = "desk-ops", **values: Any) -> Channel:
    now = timezone.now()
    given: dict[str, Any] = {"kind": "telegram", "created_at": now, "updated_at": now}
    return Channel.objects.create(name=name, **given | values)


def told(alert: Alert | None, channel: Channel, *, took_s: float = 0.4, **values: Any) -> Delivery:
    """A delivery that arrived after `took_s`, at the first try, unless said otherwise."""
    at = alert.decided_at if alert else timezone.now()
    given: dict[str, Any] = {
        "channel_name": channel.name,
        "kind": DeliveryKind.FIRING,
        "priority": alert.priority if alert else Priority.MEDIUM,
        "state": DeliveryState.SENT,
        "created_at": at,
        "due_at": at,
        "attempts": 1,
        "finished_at": at + timedelta(seconds=took_s),
    }
    return Delivery.objects.create(alert=alert, channel=channel, **given | values)


def tried(delivery: Delivery, number: int, outcome: str = AttemptOutcome.FAILED, **values: Any) -> None:
    DeliveryAttempt.objects.create(
        delivery=delivery, number=number, started_at=delivery.created_at, outcome=outcome, **values
    )


def a_silence(*, hours: float = 1, starts_in: float = 0, **values: Any) -> Silence:
    now = timezone.now()
    begins = now + timedelta(hours=starts_in)
    given: dict[str, Any] = {
        "matchers": [{"name": "symbol", "value": "IBM", "isRegex": False, "isEqual": True}],
        "starts_at": begins,
        "ends_at": begins + timedelta(hours=hours),
        "created_by": "dana",
        "comment": "deploy",
        "created_at": now,
        "updated_at": now,
    }
    return Silence.objects.create(**given | values)
