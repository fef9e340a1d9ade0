"""Beside an alert that is about breakers: how they are now, with links to their pages."""

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
    return card(name, now=now) if isinstance(name, str) else mark_safe("")


def card(name: str, *, now: datetime) -> SafeString:
    """Of the breaker of this name, empty if there is none; without a name, of those that are not closed."""
    glance = None
    if name:
        try:
            rows = [board.row(selectors.breaker(name, now=now), now=now)]
        except CircuitBreaker.DoesNotExist:
            return mark_safe("")
    else:
        glance = board.glance(now=now)
        rows = glance.rows
    return render_to_string("breakers/alert_card.html", {"rows": rows, "glance": glance})
