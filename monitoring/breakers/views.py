"""All circuit breakers at a glance, and one of them. Reading is for whoever may view breakers."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from alerts.said import see
from monitoring.breakers import board, detail, origins, selectors, timeline, told
from monitoring.breakers.forms import FilterForm, HistoryForm
from monitoring.breakers.models import CircuitBreaker
from monitoring.breakers.services import UnknownBreaker
from opsconsole.accounts.people import needs, who_may
from opsconsole.live.partials import partials

PAGE_ROWS = 50
CHANGES = 15
COMMANDS = 10
LIST_PARTS = {"breakers-head": "head_all", "breaker-list": "found"}
PARTS = {
    "breaker-head": "head",
    "breaker-acts": "acts",
    "breaker-timeline": "timeline",
    "breaker-processes": "processes",
    "breaker-changes": "changes",
    "breaker-side": "side",
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
        "broken": tally,
        "now": now,
        "told": told.newest_to_all(now=now),
        "filtered": any(value for name, value in request.GET.items() if name != "after"),
        **_turned(request, "after", found.after),
    }
    if request.headers.get("HX-Request"):
        return partials(request, _named(LIST_PARTS), context)
    context |= {"operators": _operators(request, MAY_RESET)}
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
        "filtered": bool(form.data.get("q") or form.data.get("to")),
        "history": history,
        "told": history[0] if history and told.is_fresh(history[0], now=now) else None,
        "settings": origins.settings(view.settings, listed.there),
        **_turned(request, "before", str(changes.next_id or "")),
    }
    if request.headers.get("HX-Request"):
        return partials(request, _named(PARTS), context)
    context |= {"operators": _operators(request, MAY_RESET, MAY_FORCE)}
    return render(request, "breakers/breaker.html", context, status=200 if valid else 422)


@require_GET
@MAY_READ
def find(request: HttpRequest) -> HttpResponse:
    """For the palette: to the only breaker that is meant, or (`for=reset`) to its reset; else to the list of those that match."""
    words = request.GET.get("q", "").strip()[:128]
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


def _turned(request: HttpRequest, key: str, following: str) -> dict[str, Any]:
    """The queries of the page that follows, and of the first one; empty or None where there is none."""
    query = request.GET.copy()
    query.pop(key, None)
    older = query.copy()
    older[key] = following
    return {
        "older": older.urlencode() if following else "",
        "newest": query.urlencode() if request.GET.get(key) else None,
    }


def _operators(request: HttpRequest, *permissions: str) -> list[str] | None:
    """Who may press the buttons, for whoever may not; None for whoever may."""
    return None if request.user.has_perms(permissions) else who_may(permissions[0])


def _named(parts: dict[str, str]) -> dict[str, str]:
    return {part: f"breakers/{name}.html" for part, name in parts.items()}
