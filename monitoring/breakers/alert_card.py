"""Beside an alert that names a breaker: how that one is now, with a link to its page."""

from datetime import datetime

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from alerts.models import Alert
from monitoring.breakers import board, selectors
from monitoring.breakers.models import CircuitBreaker

LABEL = "breaker"


def drawn(alert: Alert, now: datetime) -> SafeString:
    """A card for an alert with the label `breaker`, if there is one of this name; empty for all others."""
    name = alert.labels.get(LABEL)
    if not isinstance(name, str):
        return mark_safe("")
    try:
        view = selectors.breaker(name, now=now)
    except CircuitBreaker.DoesNotExist:
        return mark_safe("")
    return render_to_string("breakers/alert_card.html", {"row": board.row(view, now=now), "now": now})
