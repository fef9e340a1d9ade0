"""Bodies as people and programs really send them."""

import pytest

from opsconsole.accounts.models import User
from opsconsole.api.body import LIMIT, parse_body
from opsconsole.api.errors import ApiError
from tests.cast import caller


@pytest.mark.parametrize(
    "raw",
    [
        b"{bad",
        b"[1]",
        b'"text"',
        b"just words",
        b"\xff\xfe",
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 50_000,
        b"{}{}",
        b"=\x00",
        b"&&&",
    ],
)
def test_what_cannot_be_read_is_said_and_kept(raw: bytes) -> None:
    body = parse_body(raw)
    if raw == b"=\x00":
        assert body.fields == {"": "\x00"}
        return
    assert body.problems
    assert body.raw
    with pytest.raises(ApiError) as refused:
        body.or_refuse()
    assert (refused.value.status, refused.value.code) == (400, "invalid_body")


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b"", {}),
        (b"  \r\n", {}),
        (b'{"message": "x"}', {"message": "x"}),
        (b'\xef\xbb\xbf {"message": "x"}', {"message": "x"}),
        (b"message=System maintenance complete", {"message": "System maintenance complete"}),
        (b"message=a+b%20c&scope=", {"message": "a b c", "scope": ""}),
        (b"message=a&message=b", {"message": "b"}),
        ("message=ü".encode(), {"message": "ü"}),
        (b"message=%ff", {"message": "\ufffd"}),
    ],
)
def test_json_form_or_nothing(raw: bytes, fields: dict[str, str]) -> None:
    body = parse_body(raw)
    assert (body.fields, body.problems) == (fields, ())


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "nonsense",
        "multipart/form-data",
    ],
)
def test_over_the_limit_is_413_whatever_it_is_called(alice: User, content_type: str) -> None:
    client = caller(alice)
    answer = client.post("/monitoring/kill-switch/activate", b"x" * (LIMIT + 1), content_type=content_type)
    assert answer.status_code == 413
    assert answer.json()["error"]["details"] == {"limit": LIMIT}
    assert client.get("/monitoring/kill-switch").json()["is_active"] is False
    assert (
        client.post("/monitoring/kill-switch/activate", b"x" * LIMIT, content_type=content_type).status_code
        == 200
    )
