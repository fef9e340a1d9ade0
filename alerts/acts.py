"""What people press on the alert pages: each act goes through its service, and comes back with a redirect."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from alerts.forms import AcknowledgeForm, AssignForm, NoteForm
from alerts.models import Alert
from alerts.parts import needing
from alerts.said import alert_url, back, said, say
from alerts.services import owning
from opsconsole.accounts.actor import actor_of
from opsconsole.accounts.people import needs, people_who_may
from opsconsole.paging import id_in

Act = Callable[[HttpRequest, int], HttpResponse]
MOST_AT_ONCE = 100
owner = needs("alerts.acknowledge", what="Acknowledging", role="an operator")


def _on_one(act: Act) -> Callable[..., HttpResponse]:
    """An act on one alert: 404 when there is none; what the service refuses is said, and nothing has changed."""

    @wraps(act)
    def done(request: HttpRequest, pk: int) -> HttpResponse:
        try:
            return act(request, pk)
        except Alert.DoesNotExist:
            raise Http404(f"There is no alert {pk}.") from None
        except (owning.NotFiring, ValueError) as error:
            messages.error(request, f"Nothing was changed. {error}")
            return back(request, alert_url(pk))

    return done


@require_POST
@owner
def acknowledge_many(request: HttpRequest) -> HttpResponse:
    """The selected ones, or the one whose button was pressed. What is over by now is passed over, and counted."""
    one = request.POST.get("one")
    wanted = _numbers([one] if one else request.POST.getlist("alert"))
    done, over = [], 0
    for pk in wanted:
        try:
            outcome = owning.acknowledge(actor=actor_of(request), alert_id=pk, note="")
        except (owning.NotFiring, Alert.DoesNotExist):
            over += 1
        else:
            done += [pk] if outcome.changed else []
    if done:
        say(request, _count_acknowledged(done), undo=done)
    if over:
        messages.info(request, f"{over} of them {'was' if over == 1 else 'were'} over already.")
    if not wanted:
        messages.error(request, "Nothing was acknowledged: select alerts first.")
    if request.headers.get("HX-Request") and done and not over:
        return _in_place(request)
    return back(request, reverse("alerts"))


def _in_place(request: HttpRequest) -> HttpResponse:
    """The parts that the act changed, for the page that is open."""
    context = {**said(request), "next": request.POST.get("next", "")}
    told = render_to_string("alerts/said.html", context, request)
    parts = {"alerts-said": told, "needing": needing()}
    made = [f'<hx-partial hx-target="#{part}">{html}</hx-partial>' for part, html in parts.items()]
    return HttpResponse("\n".join(made))


def _count_acknowledged(done: list[int]) -> str:
    if len(done) > 1:
        return f"{len(done)} alerts are yours."
    title = Alert.objects.values_list("title", flat=True).get(pk=done[0])
    return f"“{title}” is yours. It is not escalated any more."


@require_POST
@owner
@_on_one
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    form = AcknowledgeForm(request.POST)
    if not form.is_valid():
        raise ValueError(_said(form.errors.values()))
    now = timezone.now()
    outcome = owning.acknowledge(
        actor=actor_of(request), alert_id=pk, note=form.cleaned_data["note"], until=form.until(now), now=now
    )
    if outcome.changed:
        say(request, "It is yours. It is not escalated any more.", undo=[pk])
    return back(request, alert_url(pk))


@require_POST
@owner
def undo(request: HttpRequest) -> HttpResponse:
    """Takes acknowledgements back."""
    taken = 0
    for pk in _numbers(request.POST.getlist("alert")):
        try:
            outcome = owning.unacknowledge(actor=actor_of(request), alert_id=pk, reason="Undone")
        except (owning.NotFiring, Alert.DoesNotExist):
            continue
        taken += outcome.changed
    messages.info(
        request,
        f"Undone: {taken} acknowledgement{'' if taken == 1 else 's'} taken back."
        if taken
        else "Nothing to undo.",
    )
    return back(request, reverse("alerts"))


@require_POST
@owner
@_on_one
def unacknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    outcome = owning.unacknowledge(actor=actor_of(request), alert_id=pk, reason=request.POST.get("note", ""))
    if outcome.changed:
        messages.info(request, "It is nobody's again. It is due as before.")
    return back(request, alert_url(pk))


@require_POST
@needs("alerts.acknowledge", what="Resolving", role="an operator")
@_on_one
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    form = NoteForm(request.POST)
    if not form.is_valid():
        raise ValueError(_said(form.errors.values()))
    outcome = owning.resolve(actor=actor_of(request), alert_id=pk, note=form.cleaned_data["note"])
    if outcome.changed:
        messages.success(request, "Resolved. Whoever was told that it began is told that it is over.")
    else:
        messages.info(request, "It was resolved already.")
    return back(request, alert_url(pk))


@require_POST
@needs("alerts.acknowledge", what="Assigning", role="an operator")
@_on_one
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    people = [(person.pk, person.display_name) for person in people_who_may("alerts.acknowledge")]
    form = AssignForm(request.POST, people=people)
    if not form.is_valid():
        raise ValueError(_said(form.errors.values()))
    user_id: int | None = form.cleaned_data["user"]
    outcome = owning.assign(
        actor=actor_of(request), alert_id=pk, user_id=user_id, note=form.cleaned_data["note"]
    )
    if outcome.changed:
        name = dict(people).get(user_id or 0)
        messages.success(
            request,
            f"Assigned to {name}. It stays due until somebody acknowledges it."
            if name
            else "It is assigned to nobody.",
        )
    return back(request, alert_url(pk))


def _numbers(texts: Iterable[str]) -> list[int]:
    """What can be an alert's number, each once, at most MOST_AT_ONCE."""
    found = dict.fromkeys(pk for pk in map(id_in, texts) if pk is not None)
    return list(found)[:MOST_AT_ONCE]


def _said(errors: Iterable[Any]) -> str:
    return " ".join(str(error) for listed in errors for error in listed)
