"""The watchdog's page: where the canary is, and those that have flown."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from monitoring.health.answers import PERMISSION
from monitoring.health.watchdog import selectors
from monitoring.health.watchdog.parts import ROUNDS
from opsconsole.accounts.people import needs


@require_GET
@needs(PERMISSION, what="Reading health", role="a viewer")
def watchdog(request: HttpRequest) -> HttpResponse:
    context = {
        "page": "watchdog",
        "watchdog": selectors.watched(),
        "canaries": selectors.canaries(limit=ROUNDS),
    }
    return render(request, "health/watchdog.html", context)
