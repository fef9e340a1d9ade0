"""Django behind the bridge, over real HTTP."""

import contextlib
import http.client
import json
import socket
import threading
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live.postgres import PATIENCE, wait_for
from tests.live.web import WebServer


def error_of(body: bytes) -> str:
    return str(json.loads(body)["error"]["code"])


def echo(web: WebServer, method: str = "GET", path: str = "/echo", **options: Any) -> tuple[Any, HTTPMessage]:
    status, headers, body = web.request(method, path, **options)
    assert status == 200
    return json.loads(body), headers


def closed(web: WebServer) -> int:
    return int(json.loads(web.request("GET", "/closed")[2])["closed"])


def test_a_body_over_the_limit_is_413(web: WebServer) -> None:
    status, _, body = web.request("POST", "/echo", body=b"x" * (1024 * 1024 + 1))
    assert status == 413
    assert error_of(body) == "body_too_long"
    assert json.loads(body)["error"]["details"] == {"allowed_bytes": 1024 * 1024}


def test_a_body_in_chunks_over_the_limit_is_413(web: WebServer) -> None:
    chunks = iter([b"x" * 65536] * 20)
    status, _, body = web.request("POST", "/echo", body=chunks)
    assert status == 413
    assert error_of(body) == "body_too_long"


def test_a_full_pool_answers_503_at_once(web: WebServer, tmp_path: Path) -> None:
    """Two threads, and eight requests in line for each; the rest is refused and told when to come again."""
    gate = tmp_path / "gate"
    answers: list[tuple[int, str | None, bytes]] = []

    def ask() -> None:
        status, headers, body = web.request("GET", f"/wait?gate={gate}")
        answers.append((status, headers["Retry-After"], body))

    threads = [threading.Thread(target=ask) for _ in range(30)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(answers) == 12)
    assert {(status, retry) for status, retry, _ in answers} == {(503, "1")}
    assert error_of(answers[0][2]) == "busy"
    # Neither the streams nor the health of the process depend on the pool.
    assert web.health()["status"] == "ok"
    gate.touch()
    for thread in threads:
        thread.join(PATIENCE)
    assert [status for status, _, _ in answers[12:]] == [200] * 18


def test_a_request_reaches_django_whole(web: WebServer) -> None:
    content, _ = echo(
        web,
        "POST",
        "/echo/a%20b/%E2%82%AC?q=1&q=%20",
        body=b'{"a": 1}',
        headers={"Content-Type": "application/json", "X-Thing": "x"},
    )
    assert content["path"] == "/echo/a b/€"
    assert content["body"] == '{"a": 1}'
    assert content["headers"]["HTTP_X_THING"] == "x"
    meta = content["meta"]
    assert meta["REQUEST_METHOD"] == "POST"
    assert meta["QUERY_STRING"] == "q=1&q=%20"
    assert meta["CONTENT_TYPE"] == "application/json"
    assert meta["CONTENT_LENGTH"] == "8"
    assert meta["REMOTE_ADDR"] == "127.0.0.1"
    assert meta["SERVER_PORT"] == str(web.port)
    assert meta["wsgi.url_scheme"] == "http"


def test_a_body_in_chunks_gets_its_length(web: WebServer) -> None:
    content, _ = echo(web, "POST", body=iter([b"ab", b"cd"]))
    assert content["body"] == "abcd"
    assert content["meta"]["CONTENT_LENGTH"] == "4"


def test_headers_that_come_twice_are_joined_and_underscores_are_dropped(web: WebServer) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=PATIENCE)) as conn:
        conn.putrequest("GET", "/echo")
        for name, value in [("X-A", "1"), ("X-A", "2"), ("X_Forwarded_For", "6.6.6.6")]:
            conn.putheader(name, value)
        conn.putheader("Cookie", "a=1")
        conn.putheader("Cookie", "b=2")
        conn.endheaders()
        content = json.loads(conn.getresponse().read())
    assert content["headers"]["HTTP_X_A"] == "1,2"
    assert content["cookies"] == {"a": "1", "b": "2"}
    assert "HTTP_X_FORWARDED_FOR" not in content["headers"]


def test_each_cookie_keeps_a_header_of_its_own(web: WebServer) -> None:
    _, headers = echo(web)
    assert [value.split(";")[0] for value in headers.get_all("Set-Cookie", [])] == ["one=1", "two=2"]


def test_head_has_the_length_and_no_body(web: WebServer) -> None:
    status, headers, body = web.request("HEAD", "/plain")
    assert (status, headers["Content-Length"], body) == (200, "5", b"")


@pytest.mark.parametrize("number", [204, 304])
def test_an_answer_without_a_body(web: WebServer, number: int) -> None:
    status, headers, body = web.request("GET", f"/nothing?status={number}")
    assert (status, headers["Content-Length"], body) == (number, None, b"")


def test_a_failing_view_is_500(web: WebServer) -> None:
    assert web.request("GET", "/fail")[0] == 500


def test_an_unusable_path_is_404(web: WebServer) -> None:
    assert web.request("GET", "/none/%FF%FE")[0] == 404


def test_a_long_lazy_answer_arrives_whole(web: WebServer) -> None:
    before = closed(web)
    status, headers, body = web.request("GET", "/pieces?count=100&size=50000")
    assert status == 200
    assert headers["Content-Length"] is None
    assert body == b"".join(b"%d" % (number % 10) * 50000 for number in range(100))
    assert closed(web) == before + 1


def test_head_of_a_lazy_answer_makes_no_piece(web: WebServer) -> None:
    before = closed(web)
    assert web.request("HEAD", "/pieces?count=1000000000&size=50000")[0] == 200
    wait_for(lambda: closed(web) == before + 1)


def test_an_answer_that_breaks_off_is_not_taken_for_whole(web: WebServer) -> None:
    before = closed(web)
    with pytest.raises(http.client.IncompleteRead):
        web.request("GET", "/pieces?count=100&size=50000&fail_at=50")
    wait_for(lambda: closed(web) == before + 1)


def test_a_reader_that_leaves_ends_the_answer(web: WebServer) -> None:
    """And one that does not read makes nothing grow: the endless answer waits for it."""
    before = closed(web)
    process = psutil.Process(web.process.pid)
    memory = process.memory_info().rss
    with socket.create_connection(("127.0.0.1", web.port), timeout=PATIENCE) as conn:
        conn.sendall(b"GET /pieces?count=1000000000&size=50000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        conn.recv(100_000)
        for _ in range(100):
            assert closed(web) == before
        assert process.memory_info().rss < memory + 50_000_000
    wait_for(lambda: closed(web) == before + 1)


def test_a_client_that_leaves_before_its_body_is_complete_is_forgotten(web: WebServer) -> None:
    with socket.create_connection(("127.0.0.1", web.port)) as conn:
        conn.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
    assert web.request("GET", "/plain")[2] == b"plain"


def test_connections_are_kept(web: WebServer) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=PATIENCE)) as conn:
        for _ in range(3):
            conn.request("GET", "/plain")
            assert conn.getresponse().read() == b"plain"
            first = conn.sock
        assert conn.sock is first
