"""All circuit breakers at a glance, and one of them. Reading is for whoever may view breakers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from alerts.said import see
from monitoring.breakers import board, detail, origins, selectors, timeline, told
from monitoring.breakers.forms import FilterForm, HistoryForm
from monitoring.breakers.models import NAME_LENGTH, CircuitBreaker
from monitoring.breakers.services import UnknownBreaker
from opsconsole.accounts.people import needs, who_else_may
from opsconsole.audit.storable import storable_text
from opsconsole.live.partials import partials
from opsconsole.paging import turned

PAGE_ROWS = 50
CHANGES = 15
COMMANDS = 10
LIST_PARTS = {"breakers-head": "breakers/head_all.html", "breaker-list": "breakers/found.html"}
PARTS = {
    "breaker-head": "breakers/head.html",
    "breaker-acts": "breakers/acts.html",
    "breaker-timeline": "breakers/timeline.html",
    "breaker-processes": "breakers/processes.html",
    "breaker-changes": "breakers/changes.html",
    "breaker-side": "breakers/side.html",
}
MAY_READ = needs("monitoring.view_circuitbreaker", what="Reading circuit breakers", role="a viewer")
MAY_RESET = "monitoring.reset_circuitbreaker"
MAY_FORCE = "monitoring.force_circuitbreaker"


@require_GET
@MAY_READ
def page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    form = FilterForm(request.GET)
    valid = form.is_valid()
    found = board.Page([], "")
    if valid:
        data = form.cleaned_data
        found = board.listed(
            now=now, kind=data["state"], search=data["q"], limit=PAGE_ROWS, after=data["after"]
        )
    tally = board.tally(now=now)
    context = {
        "page": "breakers",
        "form": form,
        "rows": found.rows,
        "tally": tally,
        "breaker_tally": tally,
        "now": now,
        "told": told.newest_to_all(now=now),
        **turned(request, found.after, key="after"),
    }
    if request.headers.get("HX-Request"):
        return partials(request, LIST_PARTS, context)
    context |= {"operators": who_else_may(request.user, MAY_RESET)}
    return render(request, "breakers/list.html", context, status=200 if valid else 422)


@require_GET
@MAY_READ
def breaker(request: HttpRequest, name: str) -> HttpResponse:
    now = timezone.now()
    try:
        view = selectors.breaker(name, now=now)
    except CircuitBreaker.DoesNotExist:
        return unknown(request, UnknownBreaker(name))
    form = HistoryForm(request.GET)
    valid = form.is_valid()
    changes = selectors.TransitionPage([], None)
    if valid:
        data = form.cleaned_data
        changes = selectors.transitions(
            breaker_id=view.id, limit=CHANGES, before_id=data["before"], to=data["to"], search=data["q"]
        )
    listed = detail.processes(view, now=now)
    history = told.history(view.id, now=now, limit=COMMANDS)
    context = {
        "page": "breaker",
        "row": board.row(view, now=now),
        "now": now,
        "form": form,
        "processes": listed,
        "timeline": timeline.drawn(view.id, span=form.chosen, now=now),
        "ranges": timeline.RANGES,
        "changes": [detail.Change(change) for change in changes.results],
        "history": history,
        "told": history[0] if history and told.is_fresh(history[0], now=now) else None,
        "settings": origins.settings(view.settings, listed.there),
        **turned(request, changes.next_id),
        "filtered": bool(form.data.get("q") or form.data.get("to")),
    }
    if request.headers.get("HX-Request"):
        return partials(request, PARTS, context)
    context |= {"operators": who_else_may(request.user, MAY_RESET, MAY_FORCE)}
    return render(request, "breakers/breaker.html", context, status=200 if valid else 422)


@require_GET
@MAY_READ
def find(request: HttpRequest) -> HttpResponse:
    """For the palette: to the only breaker that is meant, or (`for=reset`) to its reset; else to the list of those that match."""
    words = storable_text(request.GET.get("q", "").strip()[:NAME_LENGTH])
    acting = request.GET.get("for") == "reset"
    if acting:
        words = words.removeprefix("reset").strip()
    matching = (
        CircuitBreaker.objects.filter(name__icontains=words) if words else CircuitBreaker.objects.none()
    )
    exact = matching.filter(name=words).values_list("name", flat=True)
    names = list(exact) or list(matching.values_list("name", flat=True)[:2])
    if len(names) == 1:
        return see(reverse("breaker-reset" if acting else "breaker", args=names))
    query = request.GET.copy()
    query.pop("for", None)
    query["q"] = words[:100]
    return see(f"{reverse('breakers')}?{query.urlencode()}")


def unknown(request: HttpRequest, error: UnknownBreaker) -> HttpResponse:
    """404, with names like the one that was asked for."""
    context = {"page": "other", "name": error.name, "nearest": error.nearest}
    return render(request, "breakers/unknown.html", context, status=404)
