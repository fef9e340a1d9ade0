"""What the audit trail says of a step's button: it counts as pressed wherever it was pressed, in the bar, in a chat or on a shell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from opsconsole.audit.models import AuditEvent
from opsconsole.runbooks.choices import Press
from opsconsole.runbooks.models import Incident, IncidentAlert, IncidentStep

# What a button leaves in the trail. Looking at health leaves nothing there: its step is ticked with the press.
ACTIONS = {
    Press.STOP: ("killswitch.activated",),
    Press.REARM: ("killswitch.rearmed",),
    Press.RESET_BREAKER: ("breakers.reset", "breakers.reset_all"),
    Press.ACKNOWLEDGE: ("alerts.acknowledged",),
    Press.SILENCE: ("alerts.silence_created",),
}
GLOBAL = "global"
# Events of one incident that are looked through, the oldest first.
MOST = 500


@dataclass(frozen=True, slots=True)
class Pressed:
    """`event`: its number in the audit trail."""

    by: str
    at: datetime
    event: int


def pressed(
    incident: Incident, steps: Sequence[IncidentStep], alerts: Sequence[IncidentAlert]
) -> dict[int, Pressed]:
    """By step: the first press since the incident began. At most one query."""
    wanted = {action for step in steps if step.what in ACTIONS for action in ACTIONS[Press(step.what)]}
    if not wanted:
        return {}
    rows = AuditEvent.objects.filter(action__in=wanted, at__gte=incident.since)
    if incident.closed_at is not None:
        rows = rows.filter(at__lte=incident.closed_at)
    events = list(rows.filter(~Q(action="alerts.acknowledged") | _of(alerts)).order_by("at", "pk")[:MOST])
    ids = {str(one.alert_id) for one in alerts}
    found: dict[int, Pressed] = {}
    for step in steps:
        event = next((event for event in events if _is_of(step, event, ids)), None)
        if event is not None:
            found[step.pk] = Pressed(event.actor_name, event.at, event.pk)
    return found


def _of(alerts: Sequence[IncidentAlert]) -> Q:
    return Q(object_type="alerts.alert", object_id__in=[str(one.alert_id) for one in alerts])


def _is_of(step: IncidentStep, event: AuditEvent, alert_ids: set[str]) -> bool:
    if step.what not in ACTIONS or event.action not in ACTIONS[Press(step.what)]:
        return False
    match Press(step.what):
        case Press.STOP:
            # A stop of everything is one of each scope, too.
            return event.object_label.split(" ", 1)[0] in (GLOBAL, step.target)
        case Press.RESET_BREAKER:
            return event.action == "breakers.reset_all" or event.object_label == step.target
        case Press.ACKNOWLEDGE:
            return event.object_id in alert_ids
    return True
