"""Writing runbooks: with before and after in the audit trail, the steps included. Incidents keep the steps that they were opened with."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.tuned import Refused, refuse_outdated, stamp, with_values
from opsconsole.live.publish import publish
from opsconsole.runbooks.models import Runbook, RunbookStep
from opsconsole.runbooks.values import FIELDS, STEP_FIELDS, checked

TOPIC = "runbooks"


@transaction.atomic
def create(
    *,
    actor: Actor,
    values: Mapping[str, Any],
    steps: Sequence[Mapping[str, Any]],
    reason: str,
    now: datetime | None = None,
) -> Runbook:
    """`values`: any of FIELDS; `steps`: in their order, any of STEP_FIELDS each. Raises Refused."""
    moment, runbook = now or timezone.now(), with_values(Runbook(), values, FIELDS)
    made = _made(steps)
    checked(runbook, made)
    stamp(runbook, actor, moment)
    runbook.save()
    _store(runbook, made)
    _tell(actor, "runbooks.created", runbook, reason, None, as_values(runbook), moment)
    return runbook


@transaction.atomic
def change(
    *,
    actor: Actor,
    runbook_id: int,
    values: Mapping[str, Any],
    steps: Sequence[Mapping[str, Any]] | None,
    reason: str,
    version: int | None = None,
    now: datetime | None = None,
) -> tuple[Runbook, bool]:
    """The runbook, and whether anything is different. `steps` None: as they are. `version`: the one that the caller read.

    Raises Runbook.DoesNotExist, Refused or ChangedMeanwhile.
    """
    runbook = Runbook.objects.select_for_update(no_key=True).get(pk=runbook_id)
    refuse_outdated(runbook.name, runbook.version, read=version)
    before, moment = as_values(runbook), now or timezone.now()
    made = list(runbook.steps.all()) if steps is None else _made(steps)
    runbook = with_values(runbook, values, FIELDS)
    checked(runbook, made)
    after = _described(runbook, made)
    if before == after:
        return runbook, False
    runbook.version += 1
    stamp(runbook, actor, moment)
    runbook.save()
    if steps is not None:
        runbook.steps.all().delete()
        _store(runbook, made)
    _tell(actor, "runbooks.changed", runbook, reason, before, after, moment)
    return runbook, True


@transaction.atomic
def delete(*, actor: Actor, runbook_id: int, reason: str, now: datetime | None = None) -> None:
    """Incidents in which it was opened keep its steps. Raises Runbook.DoesNotExist."""
    runbook = Runbook.objects.select_for_update().get(pk=runbook_id)
    _tell(actor, "runbooks.deleted", runbook, reason, as_values(runbook), None, now or timezone.now())
    runbook.delete()


def as_values(runbook: Runbook) -> dict[str, Any]:
    """What a person writes."""
    return _described(runbook, list(runbook.steps.all()))


def _described(runbook: Runbook, steps: Sequence[RunbookStep]) -> dict[str, Any]:
    """Each step as a value of its own, so that the trail shows which one differs."""
    values = {name: getattr(runbook, name) for name in FIELDS}
    described = {
        f"step {number}": {name: getattr(step, name) for name in STEP_FIELDS if getattr(step, name)}
        for number, step in enumerate(steps, start=1)
    }
    return values | described


def _made(steps: Sequence[Mapping[str, Any]]) -> list[RunbookStep]:
    for number, step in enumerate(steps):
        if unknown := [name for name in step if name not in STEP_FIELDS]:
            field = f"steps[{number}].{unknown[0][:64]}"
            raise Refused({field: f"is not a field here; allowed are {', '.join(STEP_FIELDS)}"})
    return [RunbookStep(position=position, **step) for position, step in enumerate(steps, start=1)]


def _store(runbook: Runbook, steps: Sequence[RunbookStep]) -> None:
    for step in steps:
        step.runbook = runbook
    RunbookStep.objects.bulk_create(steps)


def _tell(
    actor: Actor,
    action: str,
    runbook: Runbook,
    reason: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    moment: datetime,
) -> None:
    record(actor=actor, action=action, obj=runbook, reason=reason, before=before, after=after, now=moment)
    publish(TOPIC, ids=(runbook.pk,))
