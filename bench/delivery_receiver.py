"""A receiver of webhooks that behaves as receivers do on bad days: answers 200, 429 and 500, hangs, and cuts off."""

import json
import random
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Longer than the console waits for an answer.
HANG_SECONDS = 15.0
BAD_DAY = {"500": 0.03, "429": 0.02, "cut": 0.01, "hang": 0.002}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One call. `at` is the steady clock, in seconds, of its first byte; `answer` one of `200` and the names in BAD_DAY."""

    key: str
    answer: str
    marked: bool
    title: str
    at: float

    @property
    def took(self) -> bool:
        """Whether the receiver may have acted on it: all but a clear refusal."""
        return self.answer in {"200", "cut", "hang"}


class Receiver:
    """`shares` says how often each bad answer is given; the rest is 200. The same seed gives the same answers."""

    def __init__(self, shares: dict[str, float] | None = None, *, seed: int = 1) -> None:
        self.arrivals: list[Arrival] = []
        self._shares = shares or {}
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._server = Server(("127.0.0.1", 0), handler(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def take(self, key: str, title: str, *, marked: bool, at: float) -> str:
        with self._lock:
            answer = self._choose()
            self.arrivals.append(Arrival(key, answer, marked, title, at))
        return answer

    def seen(self) -> list[Arrival]:
        with self._lock:
            return list(self.arrivals)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _choose(self) -> str:
        drawn = self._random.random()
        for answer, share in self._shares.items():
            if drawn < share:
                return answer
            drawn -= share
        return "200"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            at = time.monotonic()
            body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = receiver.take(
                self.headers["Idempotency-Key"],
                body["title"],
                marked=self.headers["X-Opsconsole-Maybe-Duplicate"] == "true",
                at=at,
            )
            self.close_connection = True
            if answer == "hang":
                time.sleep(HANG_SECONDS)
            if answer not in {"hang", "cut"}:
                self.send_response(int(answer))
                if answer == "429":
                    self.send_header("Retry-After", "1")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def handle(self) -> None:
            try:
                super().handle()
            except (OSError, ValueError, TypeError):
                # Its sender was killed.
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
