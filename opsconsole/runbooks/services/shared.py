"""What every change of an incident needs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alerts.redaction import redact
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.storable import storable_text
from opsconsole.live.publish import publish
from opsconsole.runbooks.models import Incident

TOPIC = "incidents"
LONGEST = 4000


class UnknownIncident(Exception):
    """There is no such incident."""

    def __init__(self, incident_id: int) -> None:
        super().__init__(f"There is no incident {incident_id}.")
        self.incident_id = incident_id


class IncidentClosed(Exception):
    """It is closed: what was written down stays as it is."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(f"Incident {incident.pk} was closed by {incident.closed_by}.")
        self.incident = incident


def open_one(incident_id: int) -> Incident:
    """Locked. Raises UnknownIncident or IncidentClosed."""
    incident = Incident.objects.select_for_update(no_key=True).filter(pk=incident_id).first()
    if incident is None:
        raise UnknownIncident(incident_id)
    if not incident.is_open:
        raise IncidentClosed(incident)
    return incident


def written(text: str, *, field: str, needed: bool = False, longest: int = LONGEST) -> str:
    """What a person wrote, without what looks like a secret: neither the trail nor an export ever has it. Raises ValueError."""
    text = text.strip()
    if len(text) > longest or (needed and not text):
        raise ValueError(f"{field}: must be a text of {1 if needed else 0} to {longest} characters")
    return redact(storable_text(text))


def name_of(actor: Actor) -> str:
    return storable_text(actor.name, length=150)


def tell(
    actor: Actor,
    action: str,
    incident: Incident,
    *,
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    record(
        actor=actor,
        action=f"incidents.{action}",
        obj=incident,
        reason=reason,
        before=before,
        after=after,
        metadata=metadata,
        now=now,
    )
    publish(TOPIC, ids=(incident.pk,))
