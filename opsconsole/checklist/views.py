"""The checklist's pages: today, and the days before. Reading is for viewers, signing off for operators."""

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from alerts.said import see
from opsconsole.accounts.actor import actor_of
from opsconsole.accounts.people import needs, who_may
from opsconsole.checklist import selectors, services
from opsconsole.checklist.forms import DaysForm, SignForm
from opsconsole.checklist.models import ChecklistDay

SIGN = "checklist.sign_checklist"
MAY_READ = needs("checklist.view_checklistday", what="Reading the checklist", role="a viewer")
ROWS, PAGE_ROWS = 7, 50


@require_GET
@MAY_READ
def page(request: HttpRequest) -> HttpResponse:
    return _page(request)


def _page(request: HttpRequest, *, form: SignForm | None = None, status: int = 200) -> HttpResponse:
    days, _ = selectors.history(limit=ROWS)
    context = {
        "page": "checklist",
        "today": selectors.today(),
        "found": selectors.evaluated(),
        "form": form or SignForm(),
        "days": days,
        "signers": [] if request.user.has_perm(SIGN) else who_may(SIGN),
    }
    return render(request, "checklist/page.html", context, status=status)


@require_POST
@needs(SIGN, what="Signing off the checklist", role="an operator")
def sign(request: HttpRequest) -> HttpResponse:
    form = SignForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    try:
        row, changed = services.sign(
            actor=actor_of(request),
            comment=form.cleaned_data["comment"],
            seen=form.cleaned_data["seen"] or None,
        )
    except services.CommentNeeded as error:
        form.add_error("comment", str(error).removeprefix("comment: ").capitalize() + ".")
        return _page(request, form=form, status=422)
    except services.ChangedSinceSeen as error:
        form.add_error(None, str(error))
        return _page(request, form=form, status=409)
    if changed:
        messages.success(request, "The checklist of today is signed off.")
    else:
        messages.info(request, f"It was signed off already, by {row.signed_by}.")
    return see(reverse("checklist"))


@require_GET
@MAY_READ
def days(request: HttpRequest) -> HttpResponse:
    form = DaysForm(request.GET)
    before = form.cleaned_data["before"] if form.is_valid() else None
    found, following = selectors.history(limit=PAGE_ROWS, before=before)
    context = {
        "page": "checklist-days",
        "form": form,
        "days": found,
        "older": f"before={following.isoformat()}" if following else "",
        "newest": "" if before else None,
    }
    return render(request, "checklist/days.html", context, status=200 if form.is_valid() else 422)


@require_GET
@MAY_READ
def day(request: HttpRequest, day: date) -> HttpResponse:
    row = ChecklistDay.objects.filter(day=day).first()
    if row is None:
        raise Http404(f"Nothing is kept of the checklist of {day}.")
    return render(request, "checklist/day.html", {"page": "checklist-days", "row": row})
