"""Who an API request is from."""

import pytest
from django.test import Client

from opsconsole.accounts.models import User
from tests.cast import caller, token_of

URL = "/monitoring/kill-switch"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ops_wrong", "Basic YWxpY2U6eA==", "ops_wrong", "Bearer a b"]
)
def test_refuses_a_bad_header(db: None, header: str) -> None:
    answer = Client(headers={"Authorization": header}, REMOTE_ADDR="192.0.2.7").get(URL)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "invalid_token"
    assert "wrong" not in answer.content.decode()


def test_refuses_nobody(db: None) -> None:
    answer = Client(REMOTE_ADDR="192.0.2.7").get(URL)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "not_authenticated"


def test_refuses_a_signed_in_change_without_its_csrf_token(alice: User) -> None:
    client = Client(enforce_csrf_checks=True, REMOTE_ADDR="192.0.2.7")
    client.force_login(alice)
    answer = client.post(f"{URL}/activate")
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "forbidden"
    assert "CSRF" in answer.json()["error"]["message"]


def test_takes_a_token_in_any_case_of_the_scheme(alice: User) -> None:
    client = Client(headers={"Authorization": f"bearer  {token_of(alice)}"}, REMOTE_ADDR="192.0.2.7")
    assert client.get(URL).status_code == 200


def test_takes_a_session(bob: User) -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.force_login(bob)
    assert client.get(URL).status_code == 200


def test_a_token_needs_no_csrf_token(alice: User) -> None:
    assert caller(alice).post(f"{URL}/activate").status_code == 200
