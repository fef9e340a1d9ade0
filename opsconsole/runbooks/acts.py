"""What people press on the pages of incidents: each act goes through its service, and comes back with a redirect."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from alerts.said import see
from opsconsole.accounts.actor import actor_of
from opsconsole.accounts.people import needs
from opsconsole.paging import id_in
from opsconsole.runbooks import presses, services
from opsconsole.runbooks.choices import Press, StepKind
from opsconsole.runbooks.forms import CloseForm, NoteForm, StartForm, values_in
from opsconsole.runbooks.models import Incident, IncidentStep
from opsconsole.runbooks.presses import BUTTONS
from opsconsole.runbooks.views import incident_page
from opsconsole.runbooks.views_runbooks import runbook_page

MAY_WORK = needs("runbooks.work_incident", what="Working on incidents", role="an operator")
Act = Callable[..., HttpResponse]


def _on_one(act: Act) -> Act:
    """An act on one incident: 404 where there is none; what the service refuses is said, and nothing has changed."""

    @wraps(act)
    def done(request: HttpRequest, pk: int, **kwargs: Any) -> HttpResponse:
        try:
            return act(request, pk, **kwargs)
        except (services.UnknownIncident, services.UnknownStep) as error:
            raise Http404(str(error)) from None
        except (services.IncidentClosed, presses.NotPressed) as error:
            messages.error(request, f"Nothing was changed. {error}")
            return incident_page(request, pk, status=409)
        except ValueError as error:
            messages.error(request, f"Nothing was changed. {error}.")
            return incident_page(request, pk, status=422)

    return require_POST(MAY_WORK(done))


@require_POST
@MAY_WORK
def start(request: HttpRequest) -> HttpResponse:
    form = StartForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Nothing was started. {_said(form)}")
        return see(reverse("incidents"))
    opened = services.start(actor=actor_of(request), title=form.cleaned_data["title"])
    return see(_url(opened.incident.pk))


@require_POST
@MAY_WORK
def open_(request: HttpRequest, slug: str) -> HttpResponse:
    """Starts an incident, or joins the one that is about the same. Values that are missing are asked for."""
    posted = request.POST
    try:
        opened = services.open_runbook(
            actor=actor_of(request),
            slug=slug,
            alert_id=_number(posted.get("alert")),
            incident_id=_number(posted.get("incident")),
            values=values_in(posted),
        )
    except (services.UnknownRunbook, services.UnknownAlert, services.UnknownIncident) as error:
        raise Http404(str(error)) from None
    except services.MissingValues as error:
        say = f"Nothing was opened yet. Say which {', '.join(error.names)}."
        return runbook_page(request, slug, asked=posted, error=say, status=422)
    except ValueError as error:
        return runbook_page(request, slug, asked=posted, error=f"Nothing was opened. {error}", status=422)
    except (services.SwitchedOff, services.IncidentClosed) as error:
        return runbook_page(request, slug, asked=posted, error=f"Nothing was opened. {error}", status=409)
    messages.success(request, _opened(opened))
    return see(_url(opened.incident.pk))


def _opened(opened: services.Opened) -> str:
    number = f"Incident {opened.incident.pk}"
    if opened.started:
        return f"{number} has begun. Each step is recorded with who did it and when."
    if opened.added:
        return f"{number} was open already: the steps are added to it."
    return f"{number} is about the same, and open."


@_on_one
def note(request: HttpRequest, pk: int) -> HttpResponse:
    form = NoteForm(request.POST)
    if not form.is_valid():
        return incident_page(request, pk, errors={"note_form": form}, status=422)
    services.add_note(actor=actor_of(request), incident_id=pk, text=form.cleaned_data["text"])
    messages.success(request, "Noted.")
    return see(_url(pk))


@_on_one
def close(request: HttpRequest, pk: int) -> HttpResponse:
    form = CloseForm(request.POST)
    if not form.is_valid():
        return incident_page(request, pk, errors={"close_form": form}, status=422)
    services.close(actor=actor_of(request), incident_id=pk, summary=form.cleaned_data["summary"])
    messages.success(request, "Closed. It stays here as it is, and can be exported.")
    return see(_url(pk))


@_on_one
def done(request: HttpRequest, pk: int, step: int) -> HttpResponse:
    actor, said = actor_of(request), _step_note(request)
    _, changed = services.complete(actor=actor, incident_id=pk, step_id=step, note=said)
    if not changed:
        messages.info(request, "Somebody has done that step already.")
    return see(_url(pk, step))


@_on_one
def undone(request: HttpRequest, pk: int, step: int) -> HttpResponse:
    actor, said = actor_of(request), _step_note(request)
    services.take_back(actor=actor, incident_id=pk, step_id=step, reason=said)
    return see(_url(pk, step))


@_on_one
def press(request: HttpRequest, pk: int, step: int) -> HttpResponse:
    """The step's own permission, as on the page of what it does."""
    row = IncidentStep.objects.filter(pk=step, procedure__incident=pk, kind=StepKind.PRESS).first()
    if row is None:
        raise services.UnknownStep(pk, step)
    button = BUTTONS[Press(row.what)]
    allowed = needs(button.permission, what=button.act, role=button.role)
    return allowed(_press)(request, pk, row)


def _press(request: HttpRequest, pk: int, step: IncidentStep) -> HttpResponse:
    incident = Incident.objects.get(pk=pk)
    said = presses.press(actor=actor_of(request), incident=incident, step=step, reason=_step_note(request))
    messages.success(request, f"{said}.")
    return see(_url(pk, step.pk))


def _step_note(request: HttpRequest) -> str:
    return request.POST.get("note", "")


def _url(pk: int, step: int | None = None) -> str:
    return f"{reverse('incident', args=[pk])}{f'#step-{step}' if step else ''}"


def _number(text: str | None) -> int | None:
    """None: it is missing. What can be no number of a row is one that there is not."""
    return (id_in(text) or 0) if text else None


def _said(form: Form) -> str:
    return " ".join(str(error) for listed in form.errors.values() for error in listed)
