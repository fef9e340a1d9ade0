"""Views that show what the bridge makes of a request, and answers of every kind."""

import time
from collections.abc import Iterator
from pathlib import Path

from django.contrib.auth import authenticate, get_user_model, login
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

CLOSED: list[str] = []


def echo(request: HttpRequest) -> HttpResponse:
    wanted = (
        "REQUEST_METHOD",
        "PATH_INFO",
        "QUERY_STRING",
        "CONTENT_TYPE",
        "CONTENT_LENGTH",
        "REMOTE_ADDR",
        "SERVER_PORT",
        "wsgi.url_scheme",
    )
    meta = {name: request.META.get(name) for name in wanted}
    headers = {name: value for name, value in request.META.items() if name.startswith("HTTP_")}
    content = {
        "meta": meta,
        "headers": headers,
        "path": request.path,
        "cookies": request.COOKIES,
        "body": request.body.decode("latin-1"),
    }
    response = JsonResponse(content)
    response.set_cookie("one", "1")
    response.set_cookie("two", "2")
    return response


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("on purpose")


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=int(request.GET["status"]))


class Pieces:
    """A lazy answer that notes that it was closed. `fail_at`: the piece at which it breaks off."""

    def __init__(self, count: int, size: int, fail_at: int | None) -> None:
        self.made = self._make(count, size, fail_at)

    def _make(self, count: int, size: int, fail_at: int | None) -> Iterator[bytes]:
        for number in range(count):
            if number == fail_at:
                raise RuntimeError("on purpose, half-way")
            yield b"%d" % (number % 10) * size

    def __iter__(self) -> Iterator[bytes]:
        return self.made

    def close(self) -> None:
        CLOSED.append("pieces")


def pieces(request: HttpRequest) -> StreamingHttpResponse:
    fail_at = request.GET.get("fail_at")
    made = Pieces(int(request.GET["count"]), int(request.GET["size"]), int(fail_at) if fail_at else None)
    return StreamingHttpResponse(made)


def closed(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"closed": len(CLOSED)})


def wait(request: HttpRequest) -> HttpResponse:
    """Keeps its thread until the file `gate` exists."""
    gate = Path(request.GET["gate"])
    end = time.monotonic() + 20
    while not gate.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return HttpResponse("done")


def sign_in(request: HttpRequest) -> HttpResponse:
    """Makes an account and signs it in."""
    get_user_model().objects.create_user(request.GET["name"], password="right")
    user = authenticate(request, username=request.GET["name"], password="right")
    login(request, user)
    return HttpResponse("in")


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("plain")


urlpatterns = [
    path("echo", echo),
    path("echo/<path:rest>", lambda request, rest: echo(request)),
    path("monitoring/kill-switch/acknowledge", echo),
    path("fail", fail),
    path("nothing", nothing),
    path("pieces", pieces),
    path("closed", closed),
    path("wait", wait),
    path("plain", plain),
    path("sign-in", sign_in),
]
