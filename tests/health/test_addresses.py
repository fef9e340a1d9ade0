"""The addresses that a web process answers itself: as Django's views do, with the same refusals."""

import http.client
import json
from contextlib import closing
from typing import Any

import pytest
from django.test import Client

from opsconsole.accounts.models import User
from tests.cast import token_of
from tests.console import ConsoleProcess

PATHS = ("/monitoring/health", "/monitoring/system/status", "/monitoring/kill-switch")


def get(console: ConsoleProcess, path: str, **headers: str) -> tuple[int, Any, dict[str, str]]:
    with closing(http.client.HTTPConnection("127.0.0.1", console.port, timeout=20)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), dict(answer.getheaders())


def told(body: Any) -> Any:
    """Without what differs from one moment to the next."""
    changing = {"timestamp", "server_time", "age_seconds"}
    if isinstance(body, dict):
        return {name: told(value) for name, value in body.items() if name not in changing}
    return [told(item) for item in body] if isinstance(body, list) else body


@pytest.mark.parametrize("path", PATHS)
def test_the_same_answer_as_djangos(console: ConsoleProcess, bob: User, path: str) -> None:
    token = {"Authorization": f"Bearer {token_of(bob)}"}
    status, body, headers = get(console, path, **token, **{"X-Request-ID": "mine"})
    view = Client(headers=token).get(path)
    assert status == view.status_code == 200
    assert told(body) == told(view.json())
    assert (headers["x-request-id"], headers["cache-control"]) == ("mine", "no-store")


@pytest.mark.parametrize("path", PATHS)
def test_the_same_refusals(console: ConsoleProcess, charlie: User, path: str) -> None:
    assert get(console, path, Origin="http://elsewhere.example")[0] == 401
    # A program on this very machine is the account `local`, as in the guide's examples.
    assert get(console, path)[0] == 200
    status, body, _ = get(console, path, Authorization="Bearer ops_nobody")
    assert (status, body["error"]["code"]) == (401, "invalid_token")
    status, body, _ = get(console, path, Authorization=f"Bearer {token_of(charlie)}")
    # The state of the kill switch is for every account.
    assert status == (200 if path.endswith("kill-switch") else 403)


def test_ready_without_an_account(console: ConsoleProcess) -> None:
    status, body, _ = get(console, "/readyz")
    assert (status, body) == (200, {"ready": True, "database": True})
