"""The end of an incident."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from opsconsole.audit.actor import Actor
from opsconsole.runbooks.models import Incident, IncidentStep
from opsconsole.runbooks.services.shared import name_of, open_one, tell, written


@transaction.atomic
def close(*, actor: Actor, incident_id: int, summary: str, now: datetime | None = None) -> Incident:
    """With what it was, and how it ended; steps may be left. Nothing is written into it any more.

    Raises UnknownIncident, IncidentClosed and ValueError.
    """
    moment, summary = now or timezone.now(), written(summary, field="summary", needed=True)
    incident = open_one(incident_id)
    incident.closed_at = max(moment, incident.started_at)
    incident.closed_by, incident.summary = name_of(actor), summary
    incident.save(update_fields=["closed_at", "closed_by", "summary"])
    steps = IncidentStep.objects.filter(procedure__incident=incident)
    tell(
        actor,
        "closed",
        incident,
        reason=summary,
        metadata={"steps": steps.count(), "steps_left": steps.filter(done_at=None).count()},
        now=moment,
    )
    return incident
