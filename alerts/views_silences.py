"""The silences: what is silent, until when, by whom; making one, with a look at what it would hold; ending one."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from alerts import silences
from alerts.forms import SILENCE_HOURS, SilenceForm
from alerts.matching import Matcher
from alerts.models import Alert
from alerts.said import back, said, say
from alerts.services import silencing
from opsconsole.accounts.actor import actor_of
from opsconsole.accounts.people import needs


@require_GET
@login_required
def page(request: HttpRequest) -> HttpResponse:
    context = {"page": "alert-silences", **silences.listed(now=timezone.now())}
    if request.headers.get("HX-Request"):
        part = render_to_string("alerts/silence_lists.html", context, request)
        return HttpResponse(f'<hx-partial hx-target="#silences">{part}</hx-partial>')
    return render(request, "alerts/silences.html", {**context, **said(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("alerts.silence", what="Silencing", role="an operator")
def new(request: HttpRequest) -> HttpResponse:
    """GET: the form, with a look at what it would hold (button Preview, works without a script). POST: makes it."""
    alert = _alert(request)
    lines = silences.lines_for(alert) if alert else ""
    asked = request.POST if request.method == "POST" else request.GET
    form = SilenceForm(asked) if "matchers" in asked else SilenceForm(initial={"matchers": lines, "hours": 1})
    now = timezone.now()
    if request.method == "POST" and form.is_valid():
        try:
            silence = silencing.create(
                actor=actor_of(request),
                matchers=form.cleaned_data["matchers"],
                starts_at=form.starts_at(now),
                ends_at=form.ends_at(now),
                comment=form.cleaned_data["comment"],
                now=now,
            )
        except ValueError as error:
            form.add_error(None, str(error))
        else:
            say(request, "Silenced. Nothing that matches is sent until it ends.", silence=str(silence.pk))
            return back(request, f"{reverse('alert-silences')}#silence-{silence.pk}")
    shown = _matchers(form) if form.is_bound else silences.parse_lines(lines)
    context = {
        "page": "alert-silence-new",
        "form": form,
        "hours": SILENCE_HOURS,
        "alert": alert,
        "preview": silences.preview(shown, now=now) if shown else None,
    }
    bad = request.method == "POST" or (form.is_bound and "matchers" in form.errors)
    return render(request, "alerts/silence_new.html", context, status=422 if bad else 200)


@require_POST
@needs("alerts.silence", what="Silencing", role="an operator")
def expire(request: HttpRequest, pk: UUID) -> HttpResponse:
    reason = request.POST.get("reason", "").strip()[:2000] or "Ended on the silences page"
    try:
        ended = silencing.expire(actor=actor_of(request), silence_id=pk, reason=reason)
    except silencing.UnknownSilence as error:
        raise Http404(str(error)) from None
    text = "The silence has ended. What it held is decided anew when it is raised again."
    messages.success(request, text) if ended else messages.info(request, "It was over already.")
    return back(request, reverse("alert-silences"))


def _alert(request: HttpRequest) -> Alert | None:
    """The alert to be silenced, if the address names one that there is."""
    text = (request.POST if request.method == "POST" else request.GET).get("alert", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    return Alert.objects.filter(pk=int(text)).first()


def _matchers(form: SilenceForm) -> list[Matcher] | None:
    form.is_valid()
    found: list[Matcher] | None = form.cleaned_data.get("matchers")
    return found
