"""A real HTTP server on loopback that takes what a webhook channel sends, and answers as it is told."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def key(self) -> str:
        return self.headers["Idempotency-Key"]


# What to answer: a status, and headers. None: cut the connection off.
Answer = tuple[int, dict[str, str]] | None
OK: Answer = (200, {})


class Receiver:
    """`answer` is asked for each call, in turn; `calls` has them all."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answer: Callable[[Call], Answer] = lambda _call: OK
        self._lock = Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                call = Call(dict(self.headers), json.loads(body))
                with receiver._lock:
                    receiver.calls.append(call)
                    number = len(receiver.calls)
                answer = receiver.answer(call)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers = answer
                self.send_response(status)
                self.send_header("X-Number", str(number))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/alerts"

    def answers(self, *answers: Answer) -> None:
        """These, one after the other; the last one for ever."""
        left = list(answers)
        self.answer = lambda _call: left.pop(0) if len(left) > 1 else left[0]

    def keys(self) -> list[str]:
        return [call.key for call in self.calls]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    try:
        yield made
    finally:
        made.close()
