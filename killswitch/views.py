"""The kill-switch pages. Reading is for everybody who is signed in; each act has its permission and goes through the services."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from alerts.said import back, see
from killswitch import bar, drills, left, presses, proof, selectors, services
from killswitch.choices import CommandKind, Mode, Reason
from killswitch.forms import CommandForm, DrillsForm, HistoryForm, RearmForm
from killswitch.models import Activation
from killswitch.parts import DRILL_ROWS, HISTORY_ROWS
from killswitch.state import GLOBAL
from opsconsole.accounts.actor import actor_of
from opsconsole.accounts.people import needs, who_may
from opsconsole.audit.models import AuditEvent
from opsconsole.paging import turned

PAGE_ROWS = 50
KEY_LENGTH = 64


@require_GET
@login_required
def page(request: HttpRequest) -> HttpResponse:
    return _page(request)


def _page(request: HttpRequest, *, form: RearmForm | None = None, status: int = 200) -> HttpResponse:
    now = selectors.status()
    rearm_form = form or RearmForm(scopes=[scope.scope for scope in now.scopes])
    context = {
        "page": "kill-switch",
        "bar": bar.of(now),
        "proof": proof.Board(now, address=f"{request.scheme}://{request.get_host()}"),
        "left": left.left(now),
        "wrong": left.wrong(now),
        "scopes": proof.scopes(now),
        "drill": drills.due(),
        "episodes": selectors.history(limit=HISTORY_ROWS).results,
        "form": rearm_form,
        "next": (request.POST if request.method == "POST" else request.GET).get("next", ""),
        "supervisors": [] if request.user.has_perm("killswitch.rearm") else who_may("killswitch.rearm"),
    }
    return render(request, "killswitch/page.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("killswitch.stop", what="Stopping", role="an operator")
def stop(request: HttpRequest) -> HttpResponse:
    """GET: the page that asks, for whoever has no script. POST: it stops, whatever the fields say."""
    if request.method != "POST":
        asked = request.GET
        context = {
            "page": "kill-switch",
            "chosen_scope": asked.get("scope", ""),
            "chosen_reason": asked.get("reason", ""),
            "chosen_message": asked.get("message", ""),
            "next": asked.get("next", ""),
        }
        return render(request, "killswitch/stop.html", context)
    outcome = _stop(request)
    if request.headers.get("HX-Request"):
        part = render_to_string("killswitch/parts/state.html", {"bar": bar.of(selectors.status())})
        return HttpResponse(f'<hx-partial hx-target="#state">{part}</hx-partial>')
    if not outcome.changed:
        messages.info(
            request, f"{outcome.activation.scope} was stopped already, by {outcome.activation.activated_by}."
        )
    for warning in outcome.warnings:
        messages.warning(request, warning)
    return back(request, reverse("kill-switch"))


def _stop(request: HttpRequest) -> services.ActivationOutcome:
    """One press is one stop: its repeat after a lost answer carries the same key, and must not stop again what was re-armed meanwhile."""
    actor, key = actor_of(request), request.POST.get("key", "")[:KEY_LENGTH]
    repeated = presses.stopped_by(key, user_id=actor.user_id) if actor.user_id else None
    if repeated is not None:
        return services.ActivationOutcome(changed=False, activation=repeated, warnings=[])
    return services.activate(
        actor=actor,
        reason=request.POST.get("reason") or Reason.MANUAL,
        message=request.POST.get("message", ""),
        scope=request.POST.get("scope") or GLOBAL,
        mode=request.POST.get("mode") or Mode.HALTED,
        metadata={presses.KEY: key} if key else None,
    )


@require_POST
@needs("killswitch.rearm", what="Re-arming", role="a supervisor")
def rearm(request: HttpRequest) -> HttpResponse:
    now = selectors.status()
    form = RearmForm(request.POST, scopes=[scope.scope for scope in now.scopes])
    if not now.scopes:
        messages.error(request, "Nothing was re-armed: nothing is stopped.")
        return _page(request, status=409)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    scope = form.cleaned_data["scope"]
    if any(item.scope == scope and item.state != "stopped" for item in now.scopes):
        form.add_error(None, "The proof is not complete. Re-arm when every process is proven stopped.")
        return _page(request, form=form, status=409)
    try:
        services.deactivate(actor=actor_of(request), message=form.cleaned_data["message"], scope=scope)
    except services.NotActive as error:
        messages.error(request, f"Nothing was re-armed. {error}")
        return _page(request, status=409)
    messages.success(request, f"{scope} is re-armed. Its processes trade again with their next lease.")
    return back(request, reverse("kill-switch"))


@require_POST
@needs("killswitch.drill", what="A drill", role="an operator")
def drill(request: HttpRequest) -> HttpResponse:
    try:
        outcome = services.activate(
            actor=actor_of(request), reason=Reason.MANUAL, message=request.POST.get("message", ""), drill=True
        )
    except services.DrillRefused as error:
        messages.error(request, f"No drill was started. {error}")
        return _page(request, status=409)
    if not outcome.changed:
        messages.info(request, f"A drill is running already, started by {outcome.activation.activated_by}.")
    for warning in outcome.warnings:
        messages.warning(request, warning)
    # Where it was pressed, its evidence comes in.
    return see(reverse("drills" if request.POST.get("from") == "drills" else "kill-switch"))


@require_GET
@login_required
def drills_page(request: HttpRequest) -> HttpResponse:
    form = DrillsForm(request.GET)
    before = form.cleaned_data["before"] if form.is_valid() else None
    found, next_id = drills.evidence(limit=DRILL_ROWS, before_id=before)
    context = {
        # The newest drills refresh themselves; older ones do not change.
        "page": "drills" if before is None else "drills-older",
        "drill": drills.due(),
        "evidence": found,
        "older": f"before={next_id}" if next_id else "",
        "newest": "" if before else None,
        "starters": [] if request.user.has_perm("killswitch.drill") else who_may("killswitch.drill"),
    }
    return render(request, "killswitch/drills.html", context, status=200 if form.is_valid() else 422)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("killswitch.command", what="Cancelling orders and closing positions", role="an operator")
def commands(request: HttpRequest) -> HttpResponse:
    """GET lists what will be sent and asks once; POST sends it. The results come back on the kill-switch page."""
    now = selectors.status()
    form = CommandForm(
        request.POST if request.method == "POST" else request.GET,
        clients=[client.client_id for client in now.clients],
    )
    if not form.is_valid():
        return _commands_page(request, form, now, status=422)
    if request.method != "POST":
        return _commands_page(request, form, now, status=200)
    try:
        services.issue_command(
            actor=actor_of(request),
            kind=CommandKind(form.cleaned_data["kind"]),
            client_ids=form.cleaned_data["client"] or None,
        )
    except services.NoTargets as error:
        form.add_error(None, f"Nothing was sent. {error}")
        return _commands_page(request, form, now, status=409)
    messages.success(request, "Sent. Each process's answer appears beside it.")
    return see(f"{reverse('kill-switch')}#left")


def _commands_page(
    request: HttpRequest, form: CommandForm, now: selectors.Status, *, status: int
) -> HttpResponse:
    kind = form.cleaned_data.get("kind", "")
    chosen = set(form.cleaned_data.get("client") or [])
    connected = [client for client in now.clients if client.connected]
    rows = [left.LeftRow(client, []) for client in connected if not chosen or client.client_id in chosen]
    context = {
        "page": "kill-switch",
        "bar": bar.of(now),
        "form": form,
        "kind": kind,
        "verb": left.VERBS[CommandKind(kind)] if kind in CommandKind.values else "",
        "chosen": bool(chosen),
        "rows": rows,
    }
    return render(request, "killswitch/commands.html", context, status=status)


@require_GET
@login_required
def activations(request: HttpRequest) -> HttpResponse:
    form = HistoryForm(request.GET)
    found = (
        selectors.history(limit=PAGE_ROWS, **form.filters())
        if form.is_valid()
        else selectors.HistoryPage([], None)
    )
    context = {
        "page": "activations",
        "form": form,
        "episodes": found.results,
        **turned(request, found.next_id),
    }
    return render(request, "killswitch/activations.html", context, status=200 if form.is_valid() else 422)


@require_GET
@login_required
def activation(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        episode = selectors.activation(pk)
    except Activation.DoesNotExist:
        raise Http404(f"There is no activation {pk}.") from None
    proofs = list(episode.acknowledgements.all())
    context = {
        "page": "activations",
        "episode": episode,
        "proofs": proofs,
        "commands": [
            (command, [(result.client, left.result_line(result)) for result in command.results.all()])
            for command in episode.commands.all()
        ],
        "events": _events_of(episode),
    }
    return render(request, "killswitch/activation.html", context)


def _events_of(episode: Activation) -> QuerySet[AuditEvent]:
    """The audit events of this episode that name it as their object."""
    return AuditEvent.objects.filter(object_type="killswitch.activation", object_id=str(episode.pk)).order_by(
        "id"
    )
