"""A server on loopback that takes POSTs: a webhook's receiver, and what those for Telegram and Slack are made of.

It keeps what it was sent. `script()` sets what happens to the next requests, before the server's own behaviour: an answer, a wait, a cut.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from threading import Event, Thread
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request. `body`: as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(self.body)
        return fields


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CutOff:
    """The request is taken, and the connection closed without an answer."""


@dataclass(frozen=True)
class Hang:
    """The request is taken, and nothing comes back until the test is over."""


@dataclass(frozen=True)
class Drip:
    """An answer that never ends, a byte at a time."""


Step = Answer | CutOff | Hang | Drip


class ChatServer:
    """Answers 200 `ok`, unless a subclass knows better."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.scripted: deque[Step] = deque()
        self.over = Event()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def script(self, *steps: Step) -> None:
        self.scripted.extend(steps)

    def answer(self, received: Received) -> Answer:
        return Answer(200, "ok")

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.over.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    @property
    def last(self) -> Received:
        return self.received[-1]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, chat: ChatServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.chat = chat


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        chat = self.server.chat
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        received = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        chat.received.append(received)
        step = chat.scripted.popleft() if chat.scripted else chat.answer(received)
        with suppress(OSError):
            self._carry_out(step)

    def _carry_out(self, step: Step) -> None:
        match step:
            case CutOff():
                self.connection.shutdown(SHUT_RDWR)
            case Hang():
                self.server.chat.over.wait(60)
            case Drip():
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not self.server.chat.over.wait(0.05):
                    self.wfile.write(b".")
            case Answer():
                self._send(step)

    def _send(self, answer: Answer) -> None:
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its own name for it
        """A test's output is no place for these."""
