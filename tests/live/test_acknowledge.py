"""POST /monitoring/kill-switch/acknowledge, where the hub itself takes it, and where it leaves it to Django (here: a view that echoes)."""

import json
import socket
from contextlib import ExitStack
from typing import Any

import pytest

from tests.live.postgres import PostgresServer, wait_for
from tests.live.web import OpenStream, WebServer

PATH = "/monitoring/kill-switch/acknowledge"
RIGHT = "Bearer right"
PLAIN = {"name": "AAPL", "instance": "", "epoch": 7, "activations": [3, 4]}


def post(
    web: WebServer, content: Any = PLAIN, *, token: str = RIGHT, kind: str = "application/json"
) -> tuple[int, dict[str, Any]]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    status, _, answer = web.request(
        "POST", PATH, body=body, headers={"Authorization": token, "Content-Type": kind}
    )
    return status, json.loads(answer)


def recorded(postgres: PostgresServer, epoch: int) -> list[Any]:
    with postgres.connect() as conn:
        return conn.execute("SELECT name, activation FROM feed_told WHERE epoch = %s", [epoch]).fetchall()


def test_a_process_without_a_stream_here_is_left_to_django(web: WebServer) -> None:
    _, answer = post(web, PLAIN | {"name": "NOBODY"})
    assert json.loads(answer["body"])["name"] == "NOBODY"


def test_another_token_does_not_speak_for_it(web: WebServer, trader: OpenStream) -> None:
    trader("AAPL").until("lease")
    _, answer = post(web, token="Bearer wrong")
    assert "body" in answer


@pytest.mark.parametrize(
    "content",
    [
        b"not json",
        b"[1, 2]",
        PLAIN | {"epoch": True},
        PLAIN | {"epoch": -1},
        PLAIN | {"epoch": "7"},
        PLAIN | {"activations": None},
        PLAIN | {"activations": [1.5]},
        PLAIN | {"activations": list(range(101))},
        {"name": "AAPL", "instance": ""},
        PLAIN | {"padding": "x" * 100_000},
    ],
    ids=lambda content: str(content)[:60],
)
def test_what_is_not_plainly_right_is_left_to_django(
    web: WebServer, trader: OpenStream, content: Any
) -> None:
    trader("AAPL").until("lease")
    _, answer = post(web, content)
    sent = content if isinstance(content, bytes) else json.dumps(content).encode()
    assert answer["body"] == sent.decode()


def test_another_form_of_body_is_left_to_django(web: WebServer, trader: OpenStream) -> None:
    trader("AAPL").until("lease")
    assert "body" in post(web, kind="text/plain")[1]


def test_it_is_recorded_and_answered(web: WebServer, trader: OpenStream, postgres: PostgresServer) -> None:
    trader("AAPL").until("lease")
    assert post(web, PLAIN | {"epoch": 1001}) == (200, {"acknowledged": [3, 4], "unknown": []})
    assert recorded(postgres, 1001) == [("AAPL", 3), ("AAPL", 4)]


def test_those_that_arrive_while_one_is_recorded_go_together(
    web: WebServer, trader: OpenStream, postgres: PostgresServer
) -> None:
    names = [f"P{number}" for number in range(12)]
    for name in names:
        trader(name).until("lease")
    with ExitStack() as stack:
        conn = stack.enter_context(postgres.connect())
        sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", web.port))) for _ in names]
        with conn.transaction():
            conn.execute("LOCK TABLE feed_told IN ACCESS EXCLUSIVE MODE")
            for name, connection in zip(names, sockets, strict=True):
                body = json.dumps(PLAIN | {"name": name, "epoch": 1002}).encode()
                head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {RIGHT}\r\nContent-Type: application/json\r\n"
                connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            # The first one waits for the lock in the database; by the time that shows, the loop has long taken in the others.
            wait_for(lambda: _waits(postgres))
            web.health()
        for connection in sockets:
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        rows = conn.execute(
            "SELECT name, together FROM feed_told WHERE epoch = 1002 AND activation = 3"
        ).fetchall()
    assert sorted(name for name, _ in rows) == sorted(names)
    assert max(together for _, together in rows) > len(names) // 2


def _waits(postgres: PostgresServer) -> bool:
    with postgres.connect() as conn:
        waiting = conn.execute(
            "SELECT 1 FROM pg_locks WHERE relation = 'feed_told'::regclass AND NOT granted"
        ).fetchone()
    return waiting is not None


def test_without_a_database_it_is_503_and_can_be_sent_again(
    web: WebServer, trader: OpenStream, postgres: PostgresServer
) -> None:
    trader("AAPL").until("lease")
    postgres.stop()
    try:
        status, answer = post(web, PLAIN | {"epoch": 1003})
        assert (status, answer["error"]["code"]) == (503, "unavailable")
    finally:
        postgres.start()
    wait_for(lambda: post(web, PLAIN | {"epoch": 1003})[0] == 200)
    assert recorded(postgres, 1003) == [("AAPL", 3), ("AAPL", 4)]
