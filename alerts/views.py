"""The list of alerts, and one alert. Reading is for everybody who is signed in."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from alerts import about, board, curves, selectors, story
from alerts.forms import ACKNOWLEDGE_HOURS, FilterForm
from alerts.models import Alert
from alerts.parts import needing_context
from alerts.said import said
from alerts.story_people import acts
from opsconsole.accounts.people import people_who_may
from opsconsole.live.partials import partials
from opsconsole.paging import turned

PAGE_ROWS = 50
PARTS = {"alert-head": "head", "story": "story", "alert-side": "side", "alert-actions": "actions"}


@require_GET
@login_required
def page(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    valid = form.is_valid()
    context = {"page": "alerts", "form": form, **_found(request, form, valid=valid)}
    if request.headers.get("HX-Request"):
        return partials(request, {"found": "alerts/found.html"}, context)
    context |= {**needing_context(), **said(request)}
    return render(request, "alerts/list.html", context, status=200 if valid else 422)


def _found(request: HttpRequest, form: FilterForm, *, valid: bool) -> dict[str, Any]:
    found = selectors.AlertPage([], None)
    if valid:
        wanted = selectors.Filters(**form.filters())
        found = selectors.recent(wanted, limit=PAGE_ROWS, before_id=form.cleaned_data["before"])
    return {
        "found": board.rows(found.results),
        **turned(request, found.next_id),
    }


@require_GET
@login_required
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        detail = selectors.detail(pk)
    except Alert.DoesNotExist:
        raise Http404(f"There is no alert {pk}.") from None
    row = board.Row(detail.alert, timezone.now())
    context = {
        "page": "alert",
        "row": row,
        "heading": story.title(row, deliveries=detail.deliveries),
        "beats": story.story(row, deliveries=detail.deliveries, acts=acts(detail.alert)),
        "silences": detail.silences if row.firing else [],
        "curve": curves.curve(detail.alert, now=row.now),
        **about.context(row, earlier=detail.earlier, rule=detail.rule),
        "hours": ACKNOWLEDGE_HOURS,
        "people": people_who_may("alerts.acknowledge") if row.firing else [],
    }
    if request.headers.get("HX-Request"):
        wanted = {part: f"alerts/{name}.html" for part, name in PARTS.items()}
        return partials(request, wanted, context)
    context |= {"place": board.place_of(detail.alert, now=row.now), **said(request)}
    return render(request, "alerts/alert.html", context)
