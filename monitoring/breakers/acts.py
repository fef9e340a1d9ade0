"""What operators press on the breakers' pages. Each act asks once, and shows whom it reaches; then it goes through its service."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from alerts.said import see
from monitoring.breakers import board, detail, selectors, services
from monitoring.breakers.forms import HOLD_MINUTES, USUAL_MINUTES, HoldForm, ReasonForm
from monitoring.breakers.models import CircuitBreaker
from monitoring.breakers.views import MAY_FORCE, MAY_RESET, unknown
from opsconsole.accounts.actor import actor_of
from opsconsole.accounts.people import needs
from opsconsole.live.partials import partials

# Breakers that the question before *reset all* names; the rest is counted.
NAMED = 20


@dataclass(frozen=True, slots=True)
class Act:
    """`key` makes its address; `does` says what it will do, `done` what was done."""

    key: str
    title: str
    button: str
    icon: str
    does: str
    done: str
    form: type[ReasonForm]
    service: Callable[..., services.Outcome]
    permission: str
    what: str

    @property
    def holds(self) -> bool:
        return self.form is HoldForm


ACTS = (
    Act(
        "reset",
        "Reset",
        "Reset now",
        "refresh",
        "Every process closes it at once, with empty windows and counts, whatever it was. If what is behind it still fails, it opens again.",
        "Told to close.",
        ReasonForm,
        services.reset,
        MAY_RESET,
        "Resetting circuit breakers",
    ),
    Act(
        "force-open",
        "Force open",
        "Force it open",
        "lock",
        "Every process rejects every call at once, and so does each that connects later, until it is released or its time is over.",
        "Told to reject every call.",
        HoldForm,
        services.force_open,
        MAY_FORCE,
        "Holding circuit breakers",
    ),
    Act(
        "force-closed",
        "Force closed",
        "Force it closed",
        "lock",
        "Every process lets every call through, however many fail: nothing protects what is behind it until it is released or its time is over.",
        "Told to let every call through.",
        HoldForm,
        services.force_close,
        MAY_FORCE,
        "Holding circuit breakers",
    ),
    Act(
        "release",
        "Release",
        "Release it",
        "lock-open",
        "Each process goes by its own calls again.",
        "Told to go by their own calls again.",
        ReasonForm,
        services.release,
        MAY_FORCE,
        "Releasing circuit breakers",
    ),
)


def view_of(act: Act) -> Callable[..., HttpResponse]:
    """GET: the question, with whom it reaches. POST: it is told to all processes, and the breaker's page shows who has applied it."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @needs(act.permission, what=act.what, role="an operator")
    def view(request: HttpRequest, name: str) -> HttpResponse:
        now = timezone.now()
        try:
            scope = _scope(name, now)
            if request.method != "POST":
                return _asked(request, act, scope, act.form(initial={"minutes": USUAL_MINUTES}), now)
            form = act.form(request.POST)
            if not form.is_valid():
                return _asked(request, act, scope, form, now, status=422)
            # Who presses has seen how it was held; whoever was faster is not overridden unseen.
            if act.permission == MAY_FORCE and form.cleaned_data["was"] != scope.was:
                form.add_error(
                    None, "Meanwhile it is held otherwise, as shown below. Press again if you still mean it."
                )
                return _asked(request, act, scope, form, now, status=409)
            outcome = act.service(actor=actor_of(request), name=name, **form.values(now))
        except (services.UnknownBreaker, CircuitBreaker.DoesNotExist):
            return unknown(request, services.UnknownBreaker(name))
        except services.NotHeld as error:
            messages.error(request, f"Nothing was changed. {error}")
            return see(reverse("breaker", args=[name]))
        _say(request, act.done, outcome)
        return see(reverse("breaker", args=[name]))

    return view


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_RESET, what="Resetting circuit breakers", role="an operator")
def reset_all(request: HttpRequest) -> HttpResponse:
    """GET: the question, with every breaker that is not closed. POST: all are reset, with one version."""
    now = timezone.now()
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        outcome = services.reset_all(actor=actor_of(request), **form.values(now))
        _say(request, "Told to close all of them.", outcome)
        return see(reverse("breakers"))
    listed = board.listed(now=now, kind="ABNORMAL", limit=NAMED)
    tally = board.tally(now=now)
    context = {
        "page": "breaker-act",
        "form": form,
        "tally": tally,
        "rows": listed.rows,
        "hidden": tally.abnormal - len(listed.rows),
        "forced": [row.view for row in listed.rows if row.view.held is not None],
        "processes": selectors.present_processes(now=now),
        "now": now,
    }
    if request.headers.get("HX-Request"):
        return partials(request, {"act-scope": "breakers/scope_all.html"}, context)
    return render(request, "breakers/reset_all.html", context, status=422 if form.is_bound else 200)


def _scope(name: str, now: datetime) -> detail.Scope:
    """Raises CircuitBreaker.DoesNotExist."""
    view = selectors.breaker(name, now=now)
    return detail.Scope(board.row(view, now=now), selectors.processes(view.id, now=now))


def _asked(
    request: HttpRequest, act: Act, scope: detail.Scope, form: ReasonForm, now: datetime, *, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "page": "breaker-act",
        "act": act,
        "scope": scope,
        "row": scope.row,
        "form": form,
        "minutes": HOLD_MINUTES,
        "now": now,
    }
    if request.headers.get("HX-Request"):
        return partials(request, {"act-scope": "breakers/scope.html"}, context)
    return render(request, "breakers/act.html", context, status=status)


def _say(request: HttpRequest, done: str, outcome: services.Outcome) -> None:
    """Who has applied it is on the page, and goes on changing there."""
    messages.success(request, done)
    for warning in outcome.warnings:
        messages.warning(request, f"{warning[0].upper()}{warning[1:]}.")
