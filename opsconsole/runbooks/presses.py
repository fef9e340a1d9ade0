"""The buttons of steps. Some act at once, through the service that everything else goes through; the others lead to the page that asks as
it always does, and come back from there.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from alerts.choices import AlertState
from alerts.models import Alert
from alerts.services import owning
from killswitch.state import GLOBAL
from monitoring.breakers import services as breakers
from monitoring.health import asking
from monitoring.health import selectors as health
from opsconsole.audit.actor import Actor
from opsconsole.runbooks import services
from opsconsole.runbooks.choices import AT_ONCE, Press
from opsconsole.runbooks.models import Incident, IncidentStep


@dataclass(frozen=True, slots=True)
class Button:
    """`permission`: what whoever presses it must have, `role` who that is. `act`: what refusals call it."""

    label: str
    icon: str
    permission: str
    role: str
    act: str


BUTTONS: Mapping[Press, Button] = {
    Press.STOP: Button("Stop trading…", "octagon", "killswitch.stop", "an operator", "Stopping"),
    Press.REARM: Button("Re-arm…", "lock-open", "killswitch.rearm", "a supervisor", "Re-arming"),
    Press.RESET_BREAKER: Button(
        "Reset", "refresh", "monitoring.reset_circuitbreaker", "an operator", "Resetting circuit breakers"
    ),
    Press.REFRESH_HEALTH: Button(
        "Check now", "activity-heartbeat", "monitoring.view_healthcomponent", "a viewer", "Checking health"
    ),
    Press.ACKNOWLEDGE: Button("Acknowledge", "check", "alerts.acknowledge", "an operator", "Acknowledging"),
    Press.SILENCE: Button("Silence…", "bell-off", "alerts.silence", "an operator", "Silencing"),
}


class NotPressed(Exception):
    """It could not be done; nothing was changed."""


def leads_to(step: IncidentStep, alert_id: int | None, *, back: str) -> str:
    """The page that asks for what this button is for; empty: it acts at once. `back`: where that page returns to."""
    match Press(step.what):
        case Press.STOP:
            fields = {"reason": step.stop_reason, "message": f"Runbook: {step.title}", "next": back}
            if step.target != GLOBAL:
                fields["scope"] = step.target
            return f"{reverse('kill-switch-stop')}?{urlencode(fields)}"
        case Press.REARM:
            return f"{reverse('kill-switch')}?{urlencode({'next': back})}#rearm"
        case Press.SILENCE:
            fields = {"next": back} | ({"alert": str(alert_id)} if alert_id is not None else {})
            return f"{reverse('alert-silence-new')}?{urlencode(fields)}"
    return ""


def press(
    *, actor: Actor, incident: Incident, step: IncidentStep, reason: str, now: datetime | None = None
) -> str:
    """Do it, and tick the step with what came of it, which is returned. The tick is a transaction of its own: what was done is done.

    Raises NotPressed, IncidentClosed and UnknownStep.
    """
    what = Press(step.what)
    if what not in AT_ONCE:
        raise NotPressed(f"{what.label} has a page of its own.")
    if not incident.is_open:
        raise services.IncidentClosed(incident)
    moment = now or timezone.now()
    reason = reason.strip() or f"Incident {incident.pk}: {step.title}"
    said = ACTS[what](actor, incident, step, reason, moment)
    # Closed meanwhile: what was done stays in the trail by itself.
    with suppress(services.IncidentClosed):
        services.complete(actor=actor, incident_id=incident.pk, step_id=step.pk, note=said, now=now)
    return said


def _reset(actor: Actor, incident: Incident, step: IncidentStep, reason: str, now: datetime) -> str:
    try:
        outcome = breakers.reset(actor=actor, name=step.target, reason=reason)
    except breakers.UnknownBreaker as error:
        near = f" Near: {', '.join(error.nearest)}." if error.nearest else ""
        raise NotPressed(f"{error}{near}") from None
    said = f"{step.target} is told to close in every process"
    return "; ".join([said, *outcome.warnings])


def _refresh(actor: Actor, incident: Incident, step: IncidentStep, reason: str, now: datetime) -> str:
    if asking.look() is None:
        raise NotPressed("Others are checking right now. Look at the result in a moment.")
    board = health.board()
    names = [one.row.name for one in board.abnormal]
    return f"Looked: {', '.join(names)} not healthy" if names else "Looked: everything is healthy"


def _acknowledge(actor: Actor, incident: Incident, step: IncidentStep, reason: str, now: datetime) -> str:
    firing = Alert.objects.filter(
        Q(pk__in=incident.alerts.values("alert")), state=AlertState.FIRING, acknowledged_at=None
    ).order_by("pk")
    done = []
    for alert in firing:
        try:
            owning.acknowledge(actor=actor, alert_id=alert.pk, note=reason, now=now)
        except owning.NotFiring:
            continue
        done.append(alert.pk)
    if not done:
        raise NotPressed("No alert of this incident waits for somebody.")
    return f"Acknowledged {', '.join(f'#{pk}' for pk in done)}"


ACTS: Mapping[Press, Callable[[Actor, Incident, IncidentStep, str, datetime], str]] = {
    Press.RESET_BREAKER: _reset,
    Press.REFRESH_HEALTH: _refresh,
    Press.ACKNOWLEDGE: _acknowledge,
}
