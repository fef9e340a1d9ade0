"""Signing in and out, and one's own account."""

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from opsconsole.accounts.actor import actor_of
from opsconsole.accounts.forms import SignInForm
from opsconsole.accounts.models import User
from opsconsole.accounts.signin import record_failed_sign_in, record_sign_in, record_sign_out, sign_in_allowed

# Why somebody is asked to sign in (again), by the `why` of the address.
REASONS = {
    "ended": "Your session has ended. Sign in to go on; what you watched may have changed.",
    "out": "You are signed out.",
}


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        if request.user.is_authenticated:
            return redirect(_next(request))
        return _page(request, SignInForm(), status=200)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    username, ip = form.cleaned_data["username"], request.META.get("REMOTE_ADDR", "")
    check = sign_in_allowed(username=username, ip=ip)
    if not check.allowed:
        form.add_error(None, f"Too many wrong passwords. Try again in {_wait(check.wait_s)}.")
        response = _page(request, form, status=429)
        response.headers["Retry-After"] = str(check.wait_s)
        return response
    user = authenticate(request, username=username, password=form.cleaned_data["password"])
    if not isinstance(user, User):
        record_failed_sign_in(username=username, ip=ip, request_id=getattr(request, "request_id", ""))
        form.add_error(None, "Username and password do not match an account that may sign in.")
        return _page(request, form, status=403)
    login(request, user)
    record_sign_in(user=user, actor=actor_of(request))
    return redirect(_next(request))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, User):
        record_sign_out(user=request.user, actor=actor_of(request))
    logout(request)
    return redirect(f"{reverse('sign-in')}?why=out")


@require_GET
@login_required
def account(request: HttpRequest) -> HttpResponse:
    roles = (
        sorted(request.user.groups.values_list("name", flat=True)) if isinstance(request.user, User) else []
    )
    return render(request, "accounts/me.html", {"roles": roles})


def _page(request: HttpRequest, form: SignInForm, *, status: int) -> HttpResponse:
    context = {"form": form, "next": _next(request), "why": REASONS.get(request.GET.get("why", ""), "")}
    return render(request, "accounts/sign_in.html", context, status=status)


def _next(request: HttpRequest) -> str:
    """Where to go afterwards: only ever an address of this console."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else reverse("overview")


def _wait(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60 + 1} min"
