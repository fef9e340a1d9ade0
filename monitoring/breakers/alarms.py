"""The alerts that breakers raise: one incident a breaker, however many processes are open. None may undo the report beside it."""

from datetime import datetime

from alerts.choices import Category, Priority
from alerts.services.raised import RaisedAlert
from alerts.services.submitting import submit_beside
from monitoring.breakers.models import CircuitBreaker
from opsconsole.audit.actor import Actor

SOURCE = "breakers"
ACTOR = Actor.system("circuit breakers")


def opened(breaker: CircuitBreaker, *, client: str, words: str, now: datetime) -> None:
    """In the transaction of the report."""
    message = f"Calls are rejected in {client}. {words}".strip()
    submit_beside(actor=ACTOR, alert=_alert(breaker, message=message, details={"client": client}), now=now)


def closed(breaker: CircuitBreaker, *, since: datetime, now: datetime) -> None:
    seconds = round((now - since).total_seconds())
    submit_beside(
        actor=ACTOR, alert=_alert(breaker, message=f"It is over after {seconds} s.", resolved=True), now=now
    )


def _alert(
    breaker: CircuitBreaker, *, message: str, details: dict[str, str] | None = None, resolved: bool = False
) -> RaisedAlert:
    return RaisedAlert(
        category=Category.SYSTEM_ERROR,
        priority=Priority.MEDIUM,
        title=f"Circuit breaker open: {breaker.name}",
        message=_plain(message),
        labels={"breaker": breaker.name},
        details=details or {},
        source=SOURCE,
        resolved=resolved,
        dedupe_key=f"breaker:{breaker.pk}",
    )


def _plain(text: str) -> str:
    """An alert takes no control characters, and an exception may say anything."""
    return "".join(char if char.isprintable() else " " for char in text).strip()
