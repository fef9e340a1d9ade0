"""Steps that are done, and that turn out not to be."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from opsconsole.audit.actor import Actor
from opsconsole.runbooks.models import IncidentStep
from opsconsole.runbooks.services.shared import name_of, open_one, tell, written

DONE = ["done_at", "done_by", "note"]


class UnknownStep(Exception):
    """The incident has no such step."""

    def __init__(self, incident_id: int, step_id: int) -> None:
        super().__init__(f"Incident {incident_id} has no step {step_id}.")


@transaction.atomic
def complete(
    *, actor: Actor, incident_id: int, step_id: int, note: str, now: datetime | None = None
) -> tuple[IncidentStep, bool]:
    """The step, and whether it was not done before: who did it first stays. Raises UnknownIncident, IncidentClosed, UnknownStep, ValueError."""
    moment, note = now or timezone.now(), written(note, field="note")
    incident = open_one(incident_id)
    step = _step(incident_id, step_id)
    if step.done_at is not None:
        return step, False
    step.done_at, step.done_by, step.note = moment, name_of(actor), note
    step.save(update_fields=DONE)
    tell(actor, "step_done", incident, reason=note, metadata=_metadata(step), now=moment)
    return step, True


@transaction.atomic
def take_back(
    *, actor: Actor, incident_id: int, step_id: int, reason: str, now: datetime | None = None
) -> tuple[IncidentStep, bool]:
    """It is not done after all. What was noted with it stays in the trail. Raises as `complete()`."""
    moment, reason = now or timezone.now(), written(reason, field="reason")
    incident = open_one(incident_id)
    step = _step(incident_id, step_id)
    if step.done_at is None:
        return step, False
    before = {"done_by": step.done_by, "done_at": step.done_at, "note": step.note}
    step.done_at, step.done_by, step.note = None, "", ""
    step.save(update_fields=DONE)
    tell(
        actor,
        "step_taken_back",
        incident,
        reason=reason,
        before=before,
        after={"done_by": "", "done_at": None, "note": ""},
        metadata=_metadata(step),
        now=moment,
    )
    return step, True


def _step(incident_id: int, step_id: int) -> IncidentStep:
    step = (
        IncidentStep.objects.select_for_update(no_key=True, of=("self",))
        .select_related("procedure")
        .filter(pk=step_id, procedure__incident=incident_id)
        .first()
    )
    if step is None:
        raise UnknownStep(incident_id, step_id)
    return step


def _metadata(step: IncidentStep) -> dict[str, object]:
    return {"step": str(step), "runbook": step.procedure.name, "step_id": step.pk}
