"""Opening a runbook: in the incident that is about the same, else in a new one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from alerts.models import Alert
from opsconsole.audit.actor import Actor
from opsconsole.runbooks.filling import filled, filled_command, names_in, sound_value
from opsconsole.runbooks.models import (
    TARGET_LENGTH,
    TITLE_LENGTH,
    Incident,
    IncidentAlert,
    IncidentStep,
    Procedure,
    Runbook,
)
from opsconsole.runbooks.services.shared import name_of, open_one, tell, written
from opsconsole.runbooks.values import STEP_FIELDS, texts_of

# Any number that nothing else uses. Two people who open the same at the same time are to meet in one incident.
LOCK = 7_301_846_561
# An alert that has fired for longer than this tells of a time that nobody worked in.
LONGEST_BEFORE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Opened:
    """`started`: the incident is new; `added`: the runbook's steps are new in it; `joined`: the alert is."""

    incident: Incident
    started: bool
    added: bool = False
    joined: bool = False


class UnknownRunbook(Exception):
    def __init__(self, slug: str) -> None:
        super().__init__(f"There is no runbook {slug}.")
        self.slug = slug


class UnknownAlert(Exception):
    def __init__(self, alert_id: int) -> None:
        super().__init__(f"There is no alert {alert_id}.")
        self.alert_id = alert_id


class SwitchedOff(Exception):
    """The runbook is not to be used."""

    def __init__(self, runbook: Runbook) -> None:
        super().__init__(f"The runbook {runbook.name} is switched off.")
        self.runbook = runbook


class MissingValues(ValueError):
    """The steps name values that neither the alert nor the caller gives. `names`: which."""

    def __init__(self, runbook: Runbook, names: Sequence[str]) -> None:
        super().__init__(f"values: {runbook.name} needs {', '.join(names)}")
        self.runbook, self.names = runbook, list(names)


@transaction.atomic
def open_runbook(
    *,
    actor: Actor,
    slug: str,
    alert_id: int | None = None,
    incident_id: int | None = None,
    values: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Opened:
    """In the incident named; else in the open one of the alert; else in the open one with the same runbook and values; else in a new one.

    `values`: what the steps name, over the alert's labels. Raises UnknownRunbook, SwitchedOff, UnknownAlert, UnknownIncident, IncidentClosed,
    MissingValues, and ValueError for a value that cannot be used.
    """
    moment = now or timezone.now()
    _one_at_a_time()
    runbook = _runbook(slug)
    alert = _alert(alert_id)
    steps = list(runbook.steps.all())
    known = _values(runbook, names_in(texts_of(steps)), alert, values or {})
    incident = open_one(incident_id) if incident_id is not None else _same(runbook, alert, known)
    started = incident is None
    if incident is None:
        title = alert.title if alert is not None else ": ".join([runbook.name, *known.values()])
        incident = _started(actor, title, alert, now=moment)
    joined = alert is not None and _joined(incident, alert, actor, now=moment)
    procedure, added = Procedure.objects.get_or_create(
        incident=incident,
        runbook=runbook,
        values=known,
        defaults={
            "name": runbook.name,
            "version": runbook.version,
            "opened_at": moment,
            "opened_by": name_of(actor),
        },
    )
    if added:
        IncidentStep.objects.bulk_create(_step(procedure, step, known) for step in steps)
    metadata = {"runbook": runbook.name, "version": runbook.version, "values": known}
    if alert is not None:
        metadata["alert"] = alert.pk
    if started:
        tell(actor, "started", incident, after={"title": incident.title}, metadata=metadata, now=moment)
    elif added:
        tell(actor, "runbook_opened", incident, metadata=metadata, now=moment)
    elif joined:
        tell(actor, "alert_joined", incident, metadata=metadata, now=moment)
    return Opened(incident, started=started, added=added, joined=joined)


@transaction.atomic
def start(*, actor: Actor, title: str, now: datetime | None = None) -> Opened:
    """An incident that begins without a runbook. Raises ValueError."""
    moment = now or timezone.now()
    title = written(title, field="title", needed=True, longest=TITLE_LENGTH)
    incident = _started(actor, title, None, now=moment)
    tell(actor, "started", incident, after={"title": incident.title}, now=moment)
    return Opened(incident, started=True)


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _runbook(slug: str) -> Runbook:
    runbook = Runbook.objects.filter(slug=slug).first()
    if runbook is None:
        raise UnknownRunbook(slug)
    if not runbook.enabled:
        raise SwitchedOff(runbook)
    return runbook


def _alert(alert_id: int | None) -> Alert | None:
    if alert_id is None:
        return None
    alert = Alert.objects.filter(pk=alert_id).first()
    if alert is None:
        raise UnknownAlert(alert_id)
    return alert


def _values(
    runbook: Runbook, names: Sequence[str], alert: Alert | None, given: Mapping[str, str]
) -> dict[str, str]:
    labels = alert.labels if alert is not None else {}
    found: dict[str, str] = {}
    for name in names:
        value = str(given.get(name) or labels.get(name) or "")
        if not value.strip():
            continue
        try:
            found[name] = sound_value(value)
        except ValueError as error:
            raise ValueError(f"values.{name}: {error}") from None
    if missing := [name for name in names if name not in found]:
        raise MissingValues(runbook, missing)
    return found


def _same(runbook: Runbook, alert: Alert | None, values: Mapping[str, str]) -> Incident | None:
    """Locked, so that it is not closed meanwhile."""
    rows = Incident.objects.select_for_update(no_key=True).filter(closed_at=None).order_by("-id")
    if alert is not None:
        of_alert = rows.filter(pk__in=IncidentAlert.objects.filter(alert=alert).values("incident")).first()
        if of_alert is not None:
            return of_alert
    same = Procedure.objects.filter(runbook=runbook, values=dict(values)).values("incident")
    return rows.filter(pk__in=same).first()


def _started(actor: Actor, title: str, alert: Alert | None, *, now: datetime) -> Incident:
    since = now if alert is None else min(now, max(alert.first_at, now - LONGEST_BEFORE))
    return Incident.objects.create(
        title=written(title[:TITLE_LENGTH], field="title"),
        since=since,
        started_at=now,
        started_by=name_of(actor),
        user_id=actor.user_id,
    )


def _joined(incident: Incident, alert: Alert, actor: Actor, *, now: datetime) -> bool:
    _, joined = IncidentAlert.objects.get_or_create(
        incident=incident,
        alert=alert,
        defaults={"title": alert.title, "joined_at": now, "joined_by": name_of(actor)},
    )
    return joined


def _step(procedure: Procedure, step: object, values: Mapping[str, str]) -> IncidentStep:
    said = {name: getattr(step, name) for name in (*STEP_FIELDS, "position")}
    said |= {name: filled(said[name], values) for name in ("text", "target")}
    if len(said["target"]) > TARGET_LENGTH:
        raise ValueError(f"values: {said['target'][:40]}… is longer than {TARGET_LENGTH} characters")
    said["title"] = filled(said["title"], values)[:TITLE_LENGTH]
    said["command"] = filled_command(said["command"], values)
    return IncidentStep(procedure=procedure, **said)
