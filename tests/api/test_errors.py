"""Every error under /monitoring has the API's body."""

import json

import pytest
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.test import Client, RequestFactory
from psycopg.errors import IdleInTransactionSessionTimeout

from opsconsole.accounts.models import User
from opsconsole.api.errors import exception_handler
from opsconsole.api.middleware import JsonErrorsMiddleware
from tests.cast import caller


def code_of(content: bytes) -> str:
    error = json.loads(content)["error"]
    assert set(error) == {"code", "message", "details"}
    assert error["message"]
    return str(error["code"])


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring",
        "/monitoring/",
        "/monitoring/nothing",
        "/monitoring/kill-switch/",
        "/monitoring/kill-switch/x",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_404(db: None, path: str, method: str) -> None:
    answer = getattr(Client(REMOTE_ADDR="192.0.2.7"), method)(path)
    assert answer.status_code == 404
    assert code_of(answer.content) == "not_found"


def test_405(alice: User) -> None:
    answer = caller(alice).get("/monitoring/kill-switch/activate")
    assert answer.status_code == 405
    assert code_of(answer.content) == "method_not_allowed"
    assert "POST" in answer.headers["Allow"]


def test_400_for_a_host_that_is_not_ours(db: None) -> None:
    answer = Client(headers={"host": "evil.example"}).get("/monitoring/kill-switch")
    assert answer.status_code == 400
    assert code_of(answer.content) == "bad_request"


def ended_while_suspended() -> InternalError:
    error = InternalError("secret")
    error.__cause__ = IdleInTransactionSessionTimeout()
    return error


@pytest.mark.parametrize(
    "error", [OperationalError("secret host"), InterfaceError("secret host"), ended_while_suspended()]
)
def test_503_when_the_database_is_away(error: Exception) -> None:
    answer = exception_handler(error, {})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.data["error"]["code"] == "database_unavailable"
    assert "secret" not in str(answer.data)


def test_500_says_nothing_of_the_inside() -> None:
    answer = exception_handler(RuntimeError("secret"), {})
    assert answer.status_code == 500
    assert "secret" not in str(answer.data)


def test_500_made_around_the_view_is_json_too() -> None:
    def broken(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("<h1>Server error</h1>", status=500)

    answer = JsonErrorsMiddleware(broken)(RequestFactory().get("/monitoring/kill-switch"))
    assert isinstance(answer, HttpResponse)
    assert code_of(answer.content) == "internal_error"


def test_pages_keep_their_html_errors() -> None:
    answer = JsonErrorsMiddleware(lambda _request: HttpResponseNotAllowed(["GET"], "<p>"))(
        RequestFactory().get("/monitoringx")
    )
    assert isinstance(answer, HttpResponse)
    assert answer.content == b"<p>"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png;q=0.1"])
def test_json_whatever_is_accepted(alice: User, accept: str) -> None:
    answer = caller(alice).get("/monitoring/kill-switch?format=html", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
