"""POST activate: never refused over its wording."""

import json
from typing import Any

import pytest

from killswitch.models import Activation
from opsconsole.accounts.models import User
from tests.cast import ApiClient, caller
from tests.killswitch.conftest import Connect

URL = "/monitoring/kill-switch/activate"


@pytest.fixture
def client(alice: User) -> ApiClient:
    return caller(alice)


BODIES: list[tuple[bytes, str]] = [
    (b"", "application/json"),
    (b"{bad json", "application/json"),
    (b"[]", "application/json"),
    (b'"stop"', "application/json"),
    (b'{"metadata": {"x": NaN, "y": "\\u0000 \\ud800"}}', "application/json"),
    (b'{"message": "\\u0000"}', "application/json"),
    (b'{"metadata": ' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"}", "application/json"),
    (b'{"metadata": ' + b"[" * 20_000, "application/json"),
    (b'{"metadata": {"n": ' + b"9" * 5000 + b"}}", "application/json"),
    (b'{"reason": "FOO", "scope": 7, "mode": [], "drill": "?", "message": {}, "x": 1}', "application/json"),
    (b"\xff\xfe\x00\x01", "application/octet-stream"),
    (b"stop!!", "text/plain; charset=nonsense"),
    (b"--x\r\nContent-Disposition: form-data", "multipart/form-data; boundary=x"),
    (b"<stop/>", "application/xml"),
    (b"reason=MANUAL&metadata={bad&scope=%00", "application/x-www-form-urlencoded"),
    (b"&" * 2000, "application/x-www-form-urlencoded"),
    (b"a=1&" * 10_000, "application/x-www-form-urlencoded"),
]


@pytest.mark.parametrize(("body", "content_type"), BODIES)
def test_stops_whatever_was_sent(client: ApiClient, body: bytes, content_type: str) -> None:
    answer = client.generic("POST", URL, body, content_type=content_type)
    assert answer.status_code == 200
    status = answer.json()
    assert (status["changed"], status["is_active"], status["mode"]) == (True, True, "HALTED")
    assert Activation.objects.get().scope == "global"


def test_says_what_it_could_not_read_and_keeps_it(client: ApiClient) -> None:
    status = client.post(URL, b'{"reason": "FOO", "scope": "IBM"}').json()
    assert [warning.partition(":")[0] for warning in status["warnings"][:2]] == ["reason", "scope"]
    assert status["metadata"] == {"sent": {"reason": "FOO", "scope": "IBM"}}


def test_answers_the_new_status(client: ApiClient, connect: Connect) -> None:
    process = connect()
    status: dict[str, Any] = client.post(
        URL, {"reason": "VOLATILITY", "message": "too hot", "metadata": {"vix": 80}}
    ).json()
    assert (status["reason"], status["message"], status["metadata"]) == ("VOLATILITY", "too hot", {"vix": 80})
    assert (status["state"], status["trading_allowed"], status["epoch"], status["warnings"]) == (
        "stopping",
        False,
        1,
        [],
    )
    assert [(item["name"], item["proof"]) for item in status["clients"]] == [(process.name, "PENDING")]
    assert status["activated_by"] == "alice via tests"
    assert json.loads(client.get("/monitoring/kill-switch").content)["activation_id"] == status["activation"]


def test_a_second_one_changes_nothing_and_says_so(client: ApiClient) -> None:
    first, second = client.post(URL).json(), client.post(URL, {"message": "again"}).json()
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["activation"] == second["activation"]


def test_a_drill_is_refused_where_trading_is_stopped(client: ApiClient) -> None:
    client.post(URL)
    answer = client.post(URL, {"drill": True})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stopped")
