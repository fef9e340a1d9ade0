"""/accounts/chats: which chat accounts act as oneself."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from alerts.models import ChatLink
from alerts.services.linking import CODE_LASTS, make_code, unlink
from opsconsole.accounts.actor import actor_of
from opsconsole.accounts.models import User


@never_cache
@require_GET
@login_required
def page(request: HttpRequest) -> HttpResponse:
    return _page(request)


@never_cache
@require_POST
@login_required
def code(request: HttpRequest) -> HttpResponse:
    """A new code, shown in this one answer and nowhere after."""
    return _page(request, code=make_code(actor=actor_of(request), user=_me(request)))


@require_POST
@login_required
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Only one's own; whatever else is asked for is gone already."""
    link = ChatLink.objects.filter(pk=pk, user=_me(request)).first()
    if link is not None and unlink(actor=actor_of(request), link_id=link.pk, reason="By the person"):
        messages.success(request, "Unlinked. Buttons that are pressed there do nothing any more.")
    response = redirect("chats")
    response.status_code = 303
    return response


def _me(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise RuntimeError("this page is for whoever is signed in")
    return request.user


def _page(request: HttpRequest, *, code: str = "") -> HttpResponse:
    links = ChatLink.objects.filter(user=_me(request)).order_by("kind", "external_id")
    minutes = int(CODE_LASTS.total_seconds() // 60)
    return render(request, "accounts/chats.html", {"links": links, "code": code, "minutes": minutes})
