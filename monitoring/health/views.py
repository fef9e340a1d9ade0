"""Health at a glance, one component, and what runs here. Reading is for whoever may view health; asking for a look is, too."""

import difflib

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST

from alerts.said import back, see
from monitoring.health import about, answers, asking, board, detail, responses, selectors, told
from monitoring.health.bars import Bars
from monitoring.health.filters import FilterForm, HistoryForm
from monitoring.health.models import HealthComponent
from opsconsole.accounts.people import needs, who_else_may
from opsconsole.audit.storable import storable_text
from opsconsole.live.partials import partials
from opsconsole.paging import turned

PAGE_ROWS = 50
CHANGES = 25
NEAREST = 5
LIST_PARTS = {"health-head": "health/head_all.html", "health-list": "health/found.html"}
PARTS = {
    "component-head": "health/head.html",
    "component-days": "health/days.html",
    "component-response": "health/response.html",
    "component-changes": "health/changes.html",
    "component-side": "health/side.html",
}
MAY_TUNE = "monitoring.tune_health"
MAY_READ = needs(answers.PERMISSION, what="Reading health", role="a viewer")


# Bars shrink to a tenth.
@gzip_page
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
            now=now,
            status=data["status"],
            what=data["what"],
            search=data["q"],
            limit=PAGE_ROWS,
            after=data["after"],
        )
    tally = board.tally(now=now)
    context = {
        "page": "health",
        "form": form,
        "rows": found.rows,
        "tally": tally,
        "health_tally": tally,
        "now": now,
        **turned(request, found.after, key="after"),
    }
    if request.headers.get("HX-Request"):
        return partials(request, LIST_PARTS, context)
    return render(request, "health/list.html", context, status=200 if valid else 422)


@gzip_page
@require_GET
@MAY_READ
def component(request: HttpRequest, slug: str) -> HttpResponse:
    now = timezone.now()
    row = HealthComponent.objects.filter(slug=slug).first()
    if row is None:
        return _unknown(request, slug)
    form = HistoryForm(request.GET)
    valid = form.is_valid()
    changes = selectors.changes(component=row, limit=CHANGES + 1, **form.wanted()) if valid else []
    following = changes[CHANGES - 1].pk if len(changes) > CHANGES else None
    bars = Bars(selectors.days([row.pk], now=now)[row.pk])
    found = selectors.one(row, now=now)
    limit = detail.limit_ms(row)
    context = {
        "page": "health-component",
        "row": board.Row(found),
        "now": now,
        "form": form,
        "doubt": detail.in_doubt(found),
        "bars": bars,
        "bad_days": detail.bad_days(bars),
        "curve": responses.large(row.slug, limit_ms=limit, now=now),
        "limit_ms": limit,
        "changes": [detail.Change(change) for change in changes[:CHANGES]],
        "judged": detail.judged(row),
        "facts": detail.facts(row.metadata),
        "alerts": detail.alerts_of(row, now=now),
        "tuners": who_else_may(request.user, MAY_TUNE),
        **turned(request, following),
    }
    if request.headers.get("HX-Request"):
        return partials(request, PARTS, context)
    return render(request, "health/component.html", context, status=200 if valid else 422)


@require_POST
@MAY_READ
def check(request: HttpRequest, slug: str) -> HttpResponse:
    """Look at one component now."""
    row = HealthComponent.objects.filter(slug=slug).first()
    if row is None:
        return _unknown(request, slug)
    looked = asking.look(only=row.pk) if row.enabled else 0
    row.refresh_from_db()
    _say(request, *told.of_one(row, looked))
    return back(request, reverse("health-component", args=[slug]))


@require_POST
@MAY_READ
def check_all(request: HttpRequest) -> HttpResponse:
    _say(request, *told.of_all(asking.look()))
    return back(request, reverse("health"))


@require_GET
@MAY_READ
def system(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    found = about.read(now=now)
    context = {"page": "health-system", "about": found, "answer": found.answer, "now": now}
    return render(request, "health/system.html", context)


@require_GET
@MAY_READ
def find(request: HttpRequest) -> HttpResponse:
    """For the palette: to the only component that is meant, else to the list of those that match."""
    words = storable_text(request.GET.get("q", "").strip()[:100])
    found = board.listed(now=timezone.now(), search=words, limit=2).rows if words else []
    exact = [
        one
        for one in found
        if words.casefold() in (one.component.row.slug, one.component.row.name.casefold())
    ]
    if len(chosen := exact or found) == 1:
        return see(reverse("health-component", args=[chosen[0].component.row.slug]))
    query = request.GET.copy()
    query["q"] = words
    return see(f"{reverse('health')}?{query.urlencode()}")


def _unknown(request: HttpRequest, slug: str) -> HttpResponse:
    """404, with components like the one that was asked for."""
    names = dict(HealthComponent.objects.filter(retired_at=None).values_list("slug", "name"))
    nearest = difflib.get_close_matches(slug.casefold(), names, n=NEAREST)
    context = {"page": "other", "slug": slug, "nearest": [(one, names[one]) for one in nearest]}
    return render(request, "health/unknown.html", context, status=404)


def _say(request: HttpRequest, done: bool, words: str) -> None:
    messages.add_message(request, messages.SUCCESS if done else messages.WARNING, words)
