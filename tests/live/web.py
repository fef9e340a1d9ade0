"""A real web process of a test's own, and readers of its streams."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live.postgres import PATIENCE, wait_for

ROOT = Path(__file__).resolve().parents[2]


class WebServer:
    """uvicorn with the console's ASGI application, under the settings of `tests.live`."""

    def __init__(
        self,
        database_url: str,
        log: Path,
        *,
        with_database: bool = True,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.log = log
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
            with log.open("ab") as output:
                self.process = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "uvicorn", "opsconsole.asgi:application"),
                        *("--fd", str(listener.fileno()), "--loop", "uvloop", "--http", "httptools"),
                        *("--lifespan", "on", "--no-access-log", "--timeout-graceful-shutdown", "2"),
                    ],
                    env=environment(database_url) | (settings or {}),
                    pass_fds=[listener.fileno()],
                    cwd=ROOT,
                    stdout=output,
                    stderr=output,
                )
        wait_for(lambda: self._answers(with_database))

    @classmethod
    @contextlib.contextmanager
    def running(cls, database_url: str, log: Path, **settings: str) -> "Iterator[WebServer]":
        server = cls(database_url, log, settings=settings)
        try:
            yield server
        finally:
            server.kill()

    def health(self) -> dict[str, Any]:
        status, _, body = self.request("GET", "/healthz")
        assert status == 200
        return dict(json.loads(body))

    def request(
        self, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as conn:
            conn.request(method, path, body=body, headers=headers or {})
            response = conn.getresponse()
            return response.status, response.headers, response.read()

    def stop(self) -> float:
        """SIGTERM; returns the seconds until it has ended."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        return time.monotonic() - began

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)

    def _answers(self, with_database: bool) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError):
            return self.health()["database"] is with_database
        return False


def environment(database_url: str) -> dict[str, str]:
    return os.environ | {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "tests.live.settings"}


def migrate(database_url: str) -> None:
    """The tables of accounts and sessions."""
    command = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    subprocess.run(command, check=True, cwd=ROOT, env=environment(database_url) | {"PYTHONPATH": str(ROOT)})


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    text: str

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self.text))


class StreamReader:
    """One open stream. `events()` blocks until the next one, and ends with the stream."""

    def __init__(
        self, port: int, path: str, headers: dict[str, str], *, receive_buffer: int | None = None
    ) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode())
        self.response = http.client.HTTPResponse(self.socket, method="GET")
        self.response.begin()

    def events(self) -> Iterator[Event]:
        name, data = "message", []
        with contextlib.suppress(ConnectionError, http.client.IncompleteRead):
            for raw in self.response:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    data.append(line.removeprefix("data: "))
                elif not line:
                    yield Event(name, "\n".join(data))
                    name, data = "message", []

    def until(self, name: str) -> Event:
        """The next event of this name. Others may come for ever, so it fails after a while."""
        end = time.monotonic() + PATIENCE
        for event in self.events():
            if event.name == name:
                return event
            assert time.monotonic() < end, f"no {name} came, only {event.name}"
        raise AssertionError(f"the stream ended without {name}")

    def close(self) -> None:
        # The response holds the socket's file; both must go for the peer to notice.
        self.response.close()
        self.socket.close()


# What the fixtures `trader` and `change` give.
OpenStream = Callable[..., StreamReader]
Change = Callable[..., int]


def trading_stream(port: int, name: str, *, receive_buffer: int | None = None) -> StreamReader:
    headers = {"Authorization": "Bearer right"}
    return StreamReader(port, f"/monitoring/stream?name={name}", headers, receive_buffer=receive_buffer)


def page_stream(port: int, page: str, cookie: str) -> StreamReader:
    return StreamReader(port, f"/live?page={page}", {"Cookie": cookie})
