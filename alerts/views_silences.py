"""The silences: what is silent, until when, by whom; making one, with a look at what it would hold; changing the end of one, and ending it."""

from datetime import datetime
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
from alerts.channels import times
from alerts.forms import SILENCE_HOURS, SilenceForm
from alerts.matching import Matcher
from alerts.models import Alert, Silence
from alerts.said import back, said, say, see
from alerts.services import silencing
from alerts.silence_ends import EndForm, ends_of, exactly
from opsconsole.accounts.actor import actor_of
from opsconsole.accounts.people import needs
from opsconsole.paging import id_in


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
        "next": asked.get("next", ""),
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


@require_http_methods(["GET", "HEAD", "POST"])
@needs("alerts.silence", what="Silencing", role="an operator")
def extend(request: HttpRequest, pk: UUID) -> HttpResponse:
    """GET: the form, with the end as it is and what each choice comes to. POST: changes the end; the silence keeps its id."""
    silence, now = Silence.objects.filter(pk=pk).first(), timezone.now()
    if silence is None:
        raise Http404(f"There is no silence {pk}.")
    if silence.ends_at <= now:
        return _over(request)
    ends = ends_of(silence, now=now)
    if request.method != "POST":
        return _form(request, silence, EndForm(ends=ends), now)
    form = EndForm(request.POST, ends=ends)
    if not form.is_valid():
        return _form(request, silence, form, now)
    try:
        changed = _change(request, silence, form, now)
    except silencing.SilenceOver:
        return _over(request)
    except (silencing.EndChanged, ValueError) as error:
        silence.refresh_from_db()
        form.add_error(None, _sentence(error))
        return _form(request, silence, form, now)
    if changed:
        before, after = times.at(silence.ends_at, now=now), times.at(form.ends_at(), now=now)
        say(request, f"The silence ends at {after} now. Before: {before}.")
    else:
        say(request, "Nothing has changed: it ends at that time already.")
    if request.headers.get("HX-Request"):
        return _in_place(request, now)
    return see(f"{reverse('alert-silences')}#silence-{pk}")


def _alert(request: HttpRequest) -> Alert | None:
    """The alert to be silenced, if the address names one that there is."""
    asked = request.POST if request.method == "POST" else request.GET
    pk = id_in(asked.get("alert", ""))
    return None if pk is None else Alert.objects.filter(pk=pk).first()


def _change(request: HttpRequest, silence: Silence, form: EndForm, now: datetime) -> bool:
    return silencing.change_end(
        actor=actor_of(request),
        silence_id=silence.pk,
        ends_at=form.ends_at(),
        was=form.cleaned_data["was"],
        reason=form.cleaned_data["reason"],
        now=now,
    )


def _form(request: HttpRequest, silence: Silence, form: EndForm, now: datetime) -> HttpResponse:
    """The whole page, or the form alone for the page that is open. The end that it shows is the end that it changes."""
    context = {
        "page": "alert-silence-extend",
        "row": silences.row_of(silence, now=now),
        "form": form,
        "was": exactly(silence.ends_at),
    }
    status = 422 if form.is_bound else 200
    if request.headers.get("HX-Request"):
        part = render_to_string("alerts/silence_end_form.html", context, request)
        return HttpResponse(f'<hx-partial hx-target="#silence-extend">{part}</hx-partial>', status=status)
    return render(request, "alerts/silence_extend.html", context, status=status)


def _in_place(request: HttpRequest, now: datetime) -> HttpResponse:
    """The parts that the change concerns, for the page that is open; the form goes."""
    told = render_to_string("alerts/said.html", said(request), request)
    listed = render_to_string("alerts/silence_lists.html", silences.listed(now=now), request)
    parts = {"alerts-said": told, "silences": listed, "silence-extend": '<div id="silence-extend"></div>'}
    made = [f'<hx-partial hx-target="#{part}">{html}</hx-partial>' for part, html in parts.items()]
    return HttpResponse("\n".join(made))


def _sentence(error: Exception) -> str:
    """Without the names of fields, which the form's reader does not know."""
    text = str(error).removeprefix("ends_at: ").replace("reason: ", "the reason ")
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _over(request: HttpRequest) -> HttpResponse:
    """409 for the page that is open, which then follows the address."""
    messages.error(request, "Nothing was changed: that silence is over. Make a new one.")
    if request.headers.get("HX-Request"):
        return HttpResponse(status=409)
    return see(reverse("alert-silences"))


def _matchers(form: SilenceForm) -> list[Matcher] | None:
    form.is_valid()
    found: list[Matcher] | None = form.cleaned_data.get("matchers")
    return found
