"""The overview, and whether this process can serve."""

from django.contrib.auth.decorators import login_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from alerts.said import said
from killswitch import bar, proof, selectors
from monitoring.breakers import board as breakers
from opsconsole.audit import search
from opsconsole.console import needs, today
from opsconsole.console.parts import EVENTS

MAY_READ_METRICS = "monitoring.view_series"
MAY_READ_BREAKERS = "monitoring.view_circuitbreaker"


@require_GET
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    status, now = selectors.status(), timezone.now()
    broken_now = breakers.glance(now=now)
    context = {
        "page": "overview",
        "bar": bar.of(status),
        "proof": proof.Board(status, address=f"{request.scheme}://{request.get_host()}"),
        "broken": broken_now.tally,
        "broken_now": broken_now if request.user.has_perm(MAY_READ_BREAKERS) else None,
        "needs": needs.gathered(status),
        "today": today.read(now=now) if request.user.has_perm(MAY_READ_METRICS) else None,
        "events": search.newest(EVENTS),
        **said(request),
    }
    return render(request, "console/overview.html", context)


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Ready means that the database answers; whether the process lives is /healthz. Needs no account, and tells nothing else."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"ready": False, "database": False}, status=503)
    return JsonResponse({"ready": True, "database": True})
