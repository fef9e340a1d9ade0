"""A server on loopback that behaves as Telegram's Bot API does to a bot that reads updates and answers them, and as Slack's reply addresses."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any

from tests.alerts.rows import BOT

# Seconds; only a test that fails waits for so long.
PATIENCE = 10


class BotServer:
    """`updates`: what happened and was not forgotten. `calls`: (method, parameters) of all but getUpdates; Slack's replies have "reply"."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.updates: list[dict[str, Any]] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.polls: list[dict[str, Any]] = []
        self.fails: tuple[int, dict[str, Any]] | None = None
        self._arrived: Queue[tuple[str, dict[str, Any]]] = Queue()

    def next_call(self) -> tuple[str, dict[str, Any]]:
        """The next one in order of arrival; waits for it."""
        return self._arrived.get(timeout=PATIENCE)

    def take(self, path: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path.startswith("/reply"):
            self._note("reply", params)
            return 200, {"ok": True}
        if not path.startswith(f"/bot{BOT}/"):
            return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
        if self.fails is not None:
            return self.fails
        method = path.rpartition("/")[2]
        if method != "getUpdates":
            self._note(method, params)
            return 200, {"ok": True, "result": True}
        self.polls.append(params)
        # Asking for an update confirms all those before it.
        self.updates = [update for update in self.updates if update["update_id"] >= params["offset"]]
        return 200, {"ok": True, "result": self.updates[: params["limit"]]}

    def _note(self, method: str, params: dict[str, Any]) -> None:
        self.calls.append((method, params))
        self._arrived.put((method, params))


@contextmanager
def bot_server() -> Iterator[BotServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            params = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = served.take(self.path, params)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's own name
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = BotServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
