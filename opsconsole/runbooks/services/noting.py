"""What people write down while they work."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from opsconsole.audit.actor import Actor
from opsconsole.runbooks.models import IncidentNote
from opsconsole.runbooks.services.shared import name_of, open_one, tell, written


@transaction.atomic
def add_note(*, actor: Actor, incident_id: int, text: str, now: datetime | None = None) -> IncidentNote:
    """What looks like a secret in it is not kept. Raises UnknownIncident, IncidentClosed and ValueError."""
    moment, text = now or timezone.now(), written(text, field="text", needed=True)
    incident = open_one(incident_id)
    note = IncidentNote.objects.create(
        incident=incident, at=moment, by=name_of(actor), user_id=actor.user_id, text=text
    )
    tell(actor, "noted", incident, reason=text, metadata={"note": note.pk}, now=moment)
    return note
