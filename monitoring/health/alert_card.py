"""Beside an alert that names a component: how that one is now, with a link to its page."""

from datetime import datetime

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from alerts.models import Alert
from killswitch.alarms import SOURCE as KILL_SWITCH
from monitoring.health.alarms import SOURCE
from monitoring.health.board import Row
from monitoring.health.choices import Kind
from monitoring.health.models import HealthComponent
from monitoring.health.selectors import one


def drawn(alert: Alert, now: datetime) -> SafeString:
    """A card for an alert that health has raised, or the kill switch about a trading process; empty for all others."""
    row = _component(alert)
    if row is None:
        return mark_safe("")
    return render_to_string("health/alert_card.html", {"row": Row(one(row, now=now)), "now": now})


def _component(alert: Alert) -> HealthComponent | None:
    if alert.source == SOURCE:
        return HealthComponent.objects.filter(slug=alert.labels.get("component")).first()
    client = alert.labels.get("client")
    if alert.source == KILL_SWITCH and isinstance(client, str):
        return HealthComponent.objects.filter(kind=Kind.CLIENT, settings__client=client).first()
    return None
