"""The list of incidents, and one incident: its steps, its timeline, its notes, and the same as a document."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_GET

from alerts.board import rows as alert_rows
from opsconsole.accounts.models import User
from opsconsole.accounts.people import needs
from opsconsole.live.partials import partials
from opsconsole.paging import turned
from opsconsole.runbooks import board, selectors, timeline
from opsconsole.runbooks import export as exporting
from opsconsole.runbooks.filling import names_in
from opsconsole.runbooks.forms import FilterForm, TimelineForm
from opsconsole.runbooks.models import Incident
from opsconsole.runbooks.values import texts_of

PAGE_ROWS, PAGE_ENTRIES = 50, 50
MAY_READ = needs("runbooks.view_incident", what="Reading incidents", role="a viewer")
PARTS = {
    "incident-head": "runbooks/head.html",
    "procedures": "runbooks/procedures.html",
    "timeline": "runbooks/timeline.html",
    "incident-side": "runbooks/side.html",
}


@require_GET
@MAY_READ
def page(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    valid = form.is_valid()
    found = (
        selectors.incidents(limit=PAGE_ROWS, **form.filters()) if valid else selectors.IncidentPage([], None)
    )
    context = {
        "page": "incidents",
        "form": form,
        "found": found.results,
        "runbooks": selectors.runbooks(),
        **turned(request, found.next_id),
    }
    if request.headers.get("HX-Request"):
        return partials(request, {"found": "runbooks/found.html"}, context)
    return render(request, "runbooks/incidents.html", context, status=200 if valid else 422)


@require_GET
@MAY_READ
def incident(request: HttpRequest, pk: int) -> HttpResponse:
    return incident_page(request, pk)


def incident_page(
    request: HttpRequest, pk: int, *, errors: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """`errors`: forms that were not understood, by the name that the templates know them by."""
    found, now = detail(pk), timezone.now()
    form = TimelineForm(request.GET)
    valid = form.is_valid()
    user = request.user
    assert isinstance(user, User)  # noqa: S101  for mypy: the view needs a permission
    shown = form.shown()
    entries = timeline.page(found.incident, limit=PAGE_ENTRIES, shown=shown, before=form.key())
    context = {
        "page": "incident",
        "board": board.board(found, user=user, address=address(request), now=now),
        "alerts": alert_rows([one.alert for one in found.alerts if one.alert is not None], now=now),
        "gone": [one for one in found.alerts if one.alert is None],
        "form": form,
        "shown": shown,
        "entries": entries.entries,
        **turned(request, entries.next_key),
        **(errors or {}),
    }
    if request.headers.get("HX-Request"):
        return _parts(request, context)
    if found.incident.is_open:
        context |= openable(found.incident)
    return render(
        request, "runbooks/incident.html", context, status=status if valid or status != 200 else 422
    )


@require_GET
@MAY_READ
def export(request: HttpRequest, pk: int) -> HttpResponse:
    return markdown(request, detail(pk))


def markdown(request: HttpRequest, found: selectors.Detail) -> HttpResponse:
    """A file to keep."""
    text = exporting.document(found, now=timezone.now(), address=address(request))
    answer = HttpResponse(text, content_type="text/markdown; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{exporting.file_name(found.incident)}"'
    answer["Cache-Control"] = "no-store"
    return answer


def detail(pk: int) -> selectors.Detail:
    try:
        return selectors.detail(pk)
    except Incident.DoesNotExist:
        raise Http404(f"There is no incident {pk}.") from None


def address(request: HttpRequest) -> str:
    """The console's own, as commands need it."""
    return f"{request.scheme}://{request.get_host()}"


def openable(incident: Incident) -> dict[str, Any]:
    """The runbooks that can be opened in it; those that need values are opened on their own pages."""
    there = set(incident.procedures.values_list("runbook", flat=True))
    left = [one for one in selectors.runbooks(enabled=True) if one.pk not in there]
    return {"openable": [(one, names_in(texts_of(list(one.steps.all())))) for one in left]}


def _parts(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page's own parts; values also by themselves, since the steps wait while somebody is in them."""
    answer = partials(request, PARTS, context)
    made = [
        f'<hx-partial hx-target="#reading-{step.step.pk}">'
        f"{render_to_string('runbooks/reading.html', {'step': step}, request)}</hx-partial>"
        for card in context["board"].cards
        for step in card.steps
        if step.reading is not None
    ]
    answer.write("\n".join(["", *made]))
    return answer
