"""Reads of runbooks and incidents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from opsconsole.paging import id_in
from opsconsole.runbooks.choices import IncidentState
from opsconsole.runbooks.evidence import Pressed, pressed
from opsconsole.runbooks.models import (
    Incident,
    IncidentAlert,
    IncidentNote,
    IncidentStep,
    Procedure,
    Runbook,
    RunbookStep,
)


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """Incidents with `steps` and `done` counted, and `alert_count`. `next_id`: pass it as `before_id` for older ones; None on the last page."""

    results: list[Incident]
    next_id: int | None


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step; `pressed`: where its button was pressed, on whatever page; None: nowhere yet."""

    step: IncidentStep
    pressed: Pressed | None

    @property
    def done(self) -> bool:
        return self.step.done_at is not None or self.pressed is not None

    @property
    def done_at(self) -> datetime | None:
        return self.step.done_at or (self.pressed.at if self.pressed else None)

    @property
    def done_by(self) -> str:
        if self.step.done_at is not None:
            return self.step.done_by
        return self.pressed.by if self.pressed else ""


@dataclass(frozen=True, slots=True)
class ProcedureRows:
    procedure: Procedure
    steps: list[StepRow]

    @property
    def done(self) -> int:
        return sum(row.done for row in self.steps)


@dataclass(frozen=True, slots=True)
class Detail:
    """An incident with its runbooks and alerts (each with its `alert`, None when its row is gone)."""

    incident: Incident
    procedures: list[ProcedureRows]
    alerts: list[IncidentAlert]

    @property
    def steps(self) -> int:
        return sum(len(rows.steps) for rows in self.procedures)

    @property
    def done(self) -> int:
        return sum(rows.done for rows in self.procedures)

    def step(self, step_id: int) -> StepRow | None:
        return next((row for rows in self.procedures for row in rows.steps if row.step.pk == step_id), None)


def incidents(
    *,
    limit: int = 50,
    before_id: int | None = None,
    state: str = "",
    search: str = "",
    runbook: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> IncidentPage:
    """The newest first. `search`: part of a title, an alert's, a note or the summary, or a number; `runbook`: a slug; times are of the start."""
    rows = _counted().order_by("-id")
    if state:
        rows = rows.filter(closed_at__isnull=state == IncidentState.OPEN)
    if search:
        rows = rows.filter(_found_by(search))
    if runbook:
        rows = rows.filter(Exists(Procedure.objects.filter(incident=OuterRef("pk"), runbook__slug=runbook)))
    if since is not None:
        rows = rows.filter(started_at__gte=since)
    if until is not None:
        rows = rows.filter(started_at__lt=until)
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    found = list(rows[: limit + 1])
    return IncidentPage(found[:limit], found[limit - 1].pk if len(found) > limit else None)


def open_incidents(*, limit: int) -> list[Incident]:
    """The oldest first, counted as in a page. One query."""
    return list(_counted().filter(closed_at=None).order_by("id")[:limit])


def of_alert(alert_id: int, *, limit: int) -> list[Incident]:
    """The incidents that an alert belongs to, the newest first, counted as in a page. One query."""
    its = IncidentAlert.objects.filter(alert=alert_id).values("incident")
    return list(_counted().filter(pk__in=its).order_by("-id")[:limit])


def opened_in(incidents: Sequence[Incident]) -> set[int]:
    """The ids of the runbooks that are open in these."""
    rows = Procedure.objects.filter(incident__in=incidents, runbook__isnull=False)
    return {pk for pk in rows.values_list("runbook", flat=True) if pk is not None}


def detail(incident_id: int) -> Detail:
    """Raises Incident.DoesNotExist."""
    incident = Incident.objects.get(pk=incident_id)
    steps = Prefetch("steps", queryset=IncidentStep.objects.order_by("position"))
    procedures = list(incident.procedures.select_related("runbook").prefetch_related(steps).order_by("id"))
    alerts = list(incident.alerts.select_related("alert__assignee").order_by("id"))
    found = pressed(incident, [step for one in procedures for step in one.steps.all()], alerts)
    return Detail(
        incident,
        [
            ProcedureRows(one, [StepRow(step, found.get(step.pk)) for step in one.steps.all()])
            for one in procedures
        ],
        alerts,
    )


def notes(incident: Incident) -> QuerySet[IncidentNote]:
    return incident.notes.order_by("id")


def runbooks(*, enabled: bool | None = None) -> list[Runbook]:
    """By name, each with its `steps`."""
    rows = Runbook.objects.prefetch_related(
        Prefetch("steps", queryset=RunbookStep.objects.order_by("position"))
    )
    if enabled is not None:
        rows = rows.filter(enabled=enabled)
    return list(rows.order_by("name"))


def runbook(slug: str) -> Runbook:
    """With its `steps`. Raises Runbook.DoesNotExist."""
    return Runbook.objects.prefetch_related("steps").get(slug=slug)


def _counted() -> "QuerySet[Incident]":
    return Incident.objects.annotate(
        step_count=Count("procedures__steps", distinct=True),
        done_count=Count(
            "procedures__steps", filter=Q(procedures__steps__done_at__isnull=False), distinct=True
        ),
        alert_count=Count("alerts", distinct=True),
    )


def _found_by(search: str) -> Q:
    alerts = IncidentAlert.objects.filter(incident=OuterRef("pk"), title__icontains=search)
    notes = IncidentNote.objects.filter(incident=OuterRef("pk"), text__icontains=search)
    found = Q(title__icontains=search) | Q(summary__icontains=search) | Q(Exists(alerts)) | Q(Exists(notes))
    if (pk := id_in(search.removeprefix("#"))) is not None:
        found |= Q(pk=pk)
    return found
