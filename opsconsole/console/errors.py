"""Pages for what went wrong. 500 and 503 are static: they need neither the database nor an account."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.views.decorators.csrf import requires_csrf_token


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "404.html", 404)


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "403.html", 403, message=str(exception or ""))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was too old, or not ours. Nothing was changed."""
    return _page(request, "403_csrf.html", 403)


def server_error(request: HttpRequest) -> HttpResponse:
    """503 while the database is away, else 500."""
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    name, status = ("503.html", 503) if away else ("500.html", 500)
    context = {"request_id": getattr(request, "request_id", "")}
    return HttpResponse(loader.get_template(name).render(context), status=status)


def _page(request: HttpRequest, name: str, status: int, **context: str) -> HttpResponse:
    """With the state bar, if the reader is signed in and the database answers; else the plain form of the same page."""
    context["request_id"] = getattr(request, "request_id", "")
    try:
        signed_in = request.user.is_authenticated
        context["base"] = "base.html" if signed_in else "plain.html"
        return render(request, name, context, status=status)
    except (OperationalError, InterfaceError, AttributeError):
        context["base"] = "plain.html"
        return HttpResponse(loader.get_template(name).render(context), status=status)
