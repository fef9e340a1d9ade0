"""A console on a loopback port that speaks docs/protocol.md over real HTTP, and can be told to misbehave."""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.client.alert_board import AlertBoard
from tests.client.breaker_board import Breakers
from tests.client.ledger import Ledger
from tests.client.switch_board import SwitchBoard, hub_clock


def eventually(condition: Callable[[], Any], what: str = "", within: float = 10.0) -> Any:
    """The first true value of the condition; fails if there is none within the bound."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    raise AssertionError(f"did not happen within {within} s: {what or condition}")


@dataclass
class Stream:
    """One connection to the stream, with what it asked for."""

    params: dict[str, list[str]]
    headers: dict[str, str]
    raw: list[bytes] = field(default_factory=list)
    cut: bool = False
    ended: bool = False


@dataclass
class ConsoleServer(SwitchBoard, AlertBoard):
    """The console. Change its attributes at any time."""

    term: float = 1.0
    renew: float = 0.05
    token: str | None = "sesame"  # of this server alone
    stream_answer: Callable[["Handler"], bool] | None = (
        None  # answers in place of the stream if it returns True
    )
    post_answer: Callable[["Handler", str, dict[str, Any]], bool] | None = None
    grants: bool = True  # leases; else `nolease`
    silent: bool = False  # writes nothing more, and does not close
    hello_lag: float = 0.0  # how long an answer takes, from the request to the reading of S0
    lag: float = 0.0  # how long each lease is held back after the hub's read
    lease_epoch: int | None = None
    hello_more: dict[str, Any] = field(default_factory=dict)
    streams: list[Stream] = field(default_factory=list)
    acks: list[dict[str, Any]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    posts: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    metrics: Ledger = field(default_factory=Ledger)
    breakers: Breakers = field(default_factory=Breakers)
    port: int = 0
    down: bool = False
    tls: ssl.SSLContext | None = None

    def start(self) -> None:
        """Listen; on the same port as before if it did already."""
        handler = type("Bound", (Handler,), {"console": self})
        self.down = False
        self._server = _Server(("127.0.0.1", self.port), handler)
        self.port = self._server.server_address[1]
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Close the port and every connection."""
        self.down = True
        self._server.shutdown()
        self._server.close_all()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The address of the console."""
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}"

    def cut_streams(self) -> None:
        """End every stream at once, in the middle of an event."""
        for stream in list(self.streams):
            stream.cut = True

    def wait_acked(self, activation: int) -> dict[str, Any]:
        """The first acknowledgement of this activation."""
        found: dict[str, Any] = eventually(
            lambda: next((ack for ack in list(self.acks) if activation in ack["activations"]), None),
            f"acknowledgement of {activation}",
        )
        return found

    def wait_report(self, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The first report that meets the condition."""
        found: dict[str, Any] = eventually(
            lambda: next((report for report in list(self.reports) if condition(report)), None), "report"
        )
        return found

    def wait_applied(self, name: str, version: int) -> dict[str, Any]:
        """How this breaker stands in the first report that has this version in force."""

        def found() -> dict[str, Any] | None:
            latest = self.breakers.latest(name)
            return latest if latest is not None and latest["applied"] >= version else None

        row: dict[str, Any] = eventually(found, f"version {version} of {name} is applied")
        return row


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        self.sockets: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.sockets.add(request)
        super().process_request(request, client_address)

    def close_all(self) -> None:
        for sock in list(self.sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none of this server's errors."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    console: ConsoleServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""

    def answer(self, status: int, data: object, *, kind: str = "application/json", **headers: str) -> bool:
        """Send a whole answer."""
        body = json.dumps(data).encode() if kind == "application/json" else str(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        return True

    def do_GET(self) -> None:
        console = self.console
        parts = urlsplit(self.path)
        stream = Stream(parse_qs(parts.query), dict(self.headers))
        if parts.path != "/monitoring/stream":
            self.answer(404, "<html>not here</html>", kind="text/html")
            return
        console.streams.append(stream)
        try:
            if console.stream_answer is not None and console.stream_answer(self):
                return
            if console.token is not None and self.headers["Authorization"] != f"Bearer {console.token}":
                self.answer(
                    401, {"error": {"code": "unauthorized", "message": "who are you?", "details": {}}}
                )
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in self._events(stream):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        except OSError:
            pass
        finally:
            stream.ended = True
            self.close_connection = True

    def _events(self, stream: Stream) -> Iterator[bytes]:
        console = self.console
        time.sleep(console.hello_lag)
        s0 = hub_clock()
        hello = {
            "protocol": 1,
            "client_id": 1,
            "s": s0,
            "term": console.term,
            "epoch": console.epoch,
            "renew": console.renew,
        }
        yield event("hello", {**hello, **console.hello_more})
        sent_epoch: int | None = None
        told = -1
        renewed = 0.0
        while not stream.cut and not console.down:
            if console.silent:
                time.sleep(0.005)
                continue
            while stream.raw:
                yield stream.raw.pop(0)
            if sent_epoch != console.epoch:
                state = console.snapshot()
                sent_epoch = state["epoch"]
                renewed = 0.0
                yield event("state", state)
            if told < console.breakers.version:
                news = console.breakers.event(hub_clock(), above=told)
                told = news["version"]
                yield event("breakers", news)
            if hub_clock() - renewed >= console.renew:
                renewed = hub_clock()
                if console.grants:
                    epoch = sent_epoch if console.lease_epoch is None else console.lease_epoch
                    lease = event("lease", {"s": hub_clock(), "epoch": epoch, "term": console.term})
                    time.sleep(console.lag)
                    yield lease
                else:
                    yield event("nolease", {"s": hub_clock(), "why": "database"})
            time.sleep(0.005)
        self.wfile.write(b"5\r\nevent")  # an end in the middle of an event

    def do_POST(self) -> None:
        console = self.console
        body = self.rfile.read(int(self.headers["Content-Length"]))
        data = json.loads(body)
        path = urlsplit(self.path).path.rpartition("/")[2]
        console.posts.append((path, data, dict(self.headers)))
        if console.post_answer is not None and console.post_answer(self, path, data):
            return
        if path in PLAIN:
            self.answer(*PLAIN[path](self, data))
        elif path == "activate":
            if not any(s["scope"] == data["scope"] for s in console.switches):
                console.halt(data["scope"], mode=data["mode"], reason=data["reason"], message=data["message"])
            self.answer(200, {"is_active": True, "epoch": console.epoch})
        elif path == "deactivate":
            if not any(s["scope"] == data["scope"] for s in console.switches):
                self.answer(409, {"error": {"code": "not_active", "message": "not active", "details": {}}})
                return
            console.rearm(data["scope"])
            self.answer(200, {"is_active": False, "epoch": console.epoch})

    def do_PATCH(self) -> None:
        console = self.console
        data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = urlsplit(self.path).path
        console.posts.append((path, data, dict(self.headers)))
        if console.post_answer is not None and console.post_answer(self, path, data):
            return
        if not console.may_tune:
            self.answer(403, {"error": {"code": "forbidden", "message": "no", "details": {}}})
            return
        category = path.rpartition("/")[2]
        console.rules[category] = {**console.rules.get(category, {}), **data}
        self.answer(200, {"category": category, **console.rules[category]})


def _acknowledge(handler: Handler, data: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    handler.console.acks.append(data)
    return 200, {"acknowledged": data["activations"], "unknown": []}


def _report(handler: Handler, data: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    handler.console.reports.append(data)
    return 200, {}


# By the last part of the path, what is taken with one answer.
PLAIN: dict[str, Callable[[Handler, dict[str, Any]], tuple[int, dict[str, Any]]]] = {
    "acknowledge": _acknowledge,
    "report": _report,
    "alerts": lambda handler, data: handler.console.take_alerts(data, handler.headers["Idempotency-Key"]),
    "push": lambda handler, data: handler.console.metrics.take(data),
    "circuit-breaker-reports": lambda handler, data: handler.console.breakers.take(data),
    "circuit-breaker-probes": lambda handler, data: handler.console.breakers.lease(data),
}


def event(name: str, data: dict[str, Any]) -> bytes:
    """The bytes of one event."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
