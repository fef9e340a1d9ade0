"""The runbooks: all of them, and one to read and to open."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from alerts.models import Alert
from opsconsole.accounts.people import needs
from opsconsole.paging import id_in
from opsconsole.runbooks import board, matching, selectors
from opsconsole.runbooks.choices import StepKind
from opsconsole.runbooks.filling import filled, filled_command, names_in, with_console
from opsconsole.runbooks.forms import PREFIX
from opsconsole.runbooks.models import Incident, Runbook
from opsconsole.runbooks.text import as_html
from opsconsole.runbooks.values import texts_of
from opsconsole.runbooks.views import address

MAY_READ = needs("runbooks.view_runbook", what="Reading runbooks", role="a viewer")


@require_GET
@MAY_READ
def page(request: HttpRequest) -> HttpResponse:
    found = selectors.runbooks()
    context = {
        "page": "runbooks",
        "runbooks": [(one, len(one.steps.all()), meant(one)) for one in found if one.enabled],
        "off": [one for one in found if not one.enabled],
    }
    return render(request, "runbooks/runbooks.html", context)


@require_GET
@MAY_READ
def runbook(request: HttpRequest, slug: str) -> HttpResponse:
    return runbook_page(request, slug, asked=request.GET)


def runbook_page(
    request: HttpRequest, slug: str, *, asked: Any, error: str = "", status: int = 200
) -> HttpResponse:
    """`asked`: the alert and the incident that it is opened for, and the values as far as they are known."""
    one = found(slug)
    alert = _row(Alert, asked.get("alert", ""))
    incident = _row(Incident, asked.get("incident", ""))
    steps = list(one.steps.all())
    names = names_in(texts_of(steps))
    labels = alert.labels if alert is not None else {}
    values = {name: str(asked.get(f"{PREFIX}{name}") or labels.get(name) or "") for name in names}
    given = {name: value for name, value in values.items() if value}
    choices = board.known_values(names)
    context = {
        "page": "runbook",
        "runbook": one,
        "meant": meant(one),
        "alert": alert,
        "incident": incident if incident is not None and incident.is_open else None,
        "steps": [
            (
                step,
                filled(step.title, given),
                as_html(filled(step.text, given)),
                with_console(filled_command(step.command, given), address(request)),
                board.ICONS[StepKind(step.kind)],
            )
            for step in steps
        ],
        "values": [(name, value, choices.get(name, [])) for name, value in values.items()],
        "error": error,
    }
    return render(request, "runbooks/runbook.html", context, status=status)


def found(slug: str) -> Runbook:
    try:
        return selectors.runbook(slug)
    except Runbook.DoesNotExist:
        raise Http404(f"There is no runbook {slug}.") from None


def meant(one: Runbook) -> list[str]:
    """Which alerts it belongs to, in words; empty: none, it is opened by hand."""
    of = [f"category {one.category}"] if one.category else []
    return of + [str(matcher) for matcher in matching.matchers_of(one)]


def _row(model: Any, text: str) -> Any:
    """The row that the address names, if it names one that there is."""
    pk = id_in(text)
    return None if pk is None else model.objects.filter(pk=pk).first()
