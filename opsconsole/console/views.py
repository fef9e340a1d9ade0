"""The overview, and whether this process can serve."""

from django.contrib.auth.decorators import login_required
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from alerts.said import said
from killswitch import bar, proof, selectors
from monitoring.breakers import board as breakers
from monitoring.health import board as health
from opsconsole.api.errors import error_body
from opsconsole.api.shared import Answer
from opsconsole.audit import search
from opsconsole.console import needs, today
from opsconsole.console.parts import EVENTS
from opsconsole.replies import AWAY, AWAY_CODE

MAY_READ_METRICS = "monitoring.view_series"
MAY_READ_BREAKERS = "monitoring.view_circuitbreaker"
MAY_READ_HEALTH = "monitoring.view_healthcomponent"


@require_GET
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    status, now = selectors.status(), timezone.now()
    broken_now = breakers.glance(now=now)
    health_now = health.glance(now=now)
    waiting = needs.gathered(status)
    context = {
        "page": "overview",
        "bar": bar.of(status),
        "proof": proof.Board(status, address=f"{request.scheme}://{request.get_host()}"),
        "breaker_tally": broken_now.tally,
        "broken_now": broken_now if request.user.has_perm(MAY_READ_BREAKERS) else None,
        "health_tally": health_now.tally,
        "health_now": health_now if request.user.has_perm(MAY_READ_HEALTH) else None,
        "needs": waiting,
        "alert_tally": waiting.open,
        "today": today.read(now=now) if request.user.has_perm(MAY_READ_METRICS) else None,
        "events": search.newest(EVENTS),
        **said(request),
    }
    return render(request, "console/overview.html", context)


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Ready means that the database answers; whether the process lives is /healthz. Needs no account, and tells nothing else."""
    try:
        answer = ready()
    except DatabaseError:
        return JsonResponse(error_body(AWAY_CODE, AWAY), status=503, headers={"Retry-After": "1"})
    return HttpResponse(answer.content, status=answer.status, content_type="application/json")


def ready() -> Answer:
    """As the view gives it, for all who wait for it. Raises the database's errors."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Answer(200, b'{"ready":true,"database":true}')
