"""The audit page."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from opsconsole.audit import search
from opsconsole.audit.diff import diff
from opsconsole.audit.forms import TrailForm
from opsconsole.audit.sealing.selectors import standing
from opsconsole.paging import turned

PAGE_EVENTS = 50


@require_GET
@login_required
def trail(request: HttpRequest) -> HttpResponse:
    form = TrailForm(request.GET)
    found = search.page(form.query(), limit=PAGE_EVENTS) if form.is_valid() else search.Page([], None)
    context = {
        "page": "audit",
        "form": form,
        "rows": [(event, diff(event.before, event.after)) for event in found.events],
        "alone": len(found.events) == 1,
        "actions": search.actions(),
        "actors": search.actors(),
        "standing": standing(now=timezone.now()),
        **turned(request, found.next_id),
    }
    return render(request, "audit/trail.html", context, status=200 if form.is_valid() else 422)
