"""Alerts that a runbook belongs to, and incidents that are open."""

from typing import Any

from alerts.models import Alert
from opsconsole.audit.actor import Actor
from opsconsole.runbooks import services
from opsconsole.runbooks.models import Incident, IncidentStep
from tests.alert_rows import an_alert
from tests.cast import ROOT

BREAKER, COST, DEGRADED = "circuit-breaker-open", "high-api-costs", "system-degraded"


def breaker_alert(name: str = "yahoo_finance", **values: Any) -> Alert:
    given: dict[str, Any] = {
        "title": f"Circuit breaker open: {name}",
        "category": "SYSTEM_ERROR",
        "labels": {"breaker": name},
        "source": "breakers",
        "message": "Calls are rejected in AAPL.",
    }
    return an_alert(**given | values)


def opened(slug: str = COST, *, actor: Actor = ROOT, **values: Any) -> Incident:
    return services.open_runbook(actor=actor, slug=slug, **values).incident


def step_of(incident: Incident, what: str) -> IncidentStep:
    """The first step of the incident that shows or presses this, or is of this kind."""
    steps = IncidentStep.objects.filter(procedure__incident=incident)
    return next(step for step in steps if what in (step.what, step.kind))
