"""POST deactivate: the strict side."""

from typing import Any

import pytest

from opsconsole.accounts.models import User
from tests.cast import ApiClient, caller
from tests.killswitch.conftest import Connect

BASE = "/monitoring/kill-switch"
URL = f"{BASE}/deactivate"


@pytest.fixture
def client(sam: User) -> ApiClient:
    return caller(sam)


def test_refuses_where_nothing_is_stopped(client: ApiClient) -> None:
    answer = client.post(URL, {"message": "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_active")


BAD: list[tuple[Any, str, str]] = [
    (b"{bad", "invalid_body", ""),
    (b"[]", "invalid_body", ""),
    ({"message": 7}, "invalid", "message"),
    ({"message": "x" * 2001}, "invalid", "message"),
    ({"scope": "IBM"}, "invalid", "scope"),
    ({"scope": ["global"]}, "invalid", "scope"),
    ({"why": "x"}, "invalid", "why"),
]


@pytest.mark.parametrize(("body", "code", "named"), BAD)
def test_refuses_what_it_cannot_read(client: ApiClient, body: Any, code: str, named: str) -> None:
    client.post(f"{BASE}/activate")
    answer = client.post(URL, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, code)
    assert not named or named in error["details"]
    assert client.get(BASE).json()["is_active"] is True


def test_re_arms_and_notes_what_is_missing(client: ApiClient, connect: Connect) -> None:
    connect()
    client.post(f"{BASE}/activate")
    status = client.post(URL).json()
    assert (status["is_active"], status["changed"], status["state"]) == (False, True, "armed")
    assert [warning.split()[0] for warning in status["warnings"]] == ["message:", "it"]


def test_re_arms_one_scope(client: ApiClient) -> None:
    client.post(f"{BASE}/activate", {"scope": "symbol:IBM"})
    assert client.post(URL).status_code == 409
    status = client.post(
        URL, "message=fixed&scope=symbol:IBM", content_type="application/x-www-form-urlencoded"
    ).json()
    assert (status["scopes"], status["warnings"]) == ([], [])
