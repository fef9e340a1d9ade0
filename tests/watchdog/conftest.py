from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from pytest_django import Settings

from alerts.services import submitting
from tests.cast import alice, bob, charlie, sam, trader
from tests.pages.conftest import browse

__all__ = ["alice", "bob", "browse", "charlie", "sam", "trader"]

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
# The console has been up for an hour.
BEGAN = NOW - timedelta(hours=1)
KEY = "s3cret-key"


class Outside:
    """A real service on loopback that expects a call each minute. `status`: what it answers; `calls`: the paths that were asked for."""

    def __init__(self) -> None:
        self.status = 200
        self.calls: list[str] = []
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outside.calls.append(self.path)
                self.send_response(outside.status)
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
        return f"http://127.0.0.1:{self._server.server_port}/ping/{KEY}?via=console"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def outside(settings: Settings) -> Iterator[Outside]:
    """It is the address of the settings."""
    made = Outside()
    settings.WATCHDOG_SECRET_URL = made.url
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _nothing_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alerts stay as they were submitted: a thread would decide them sooner or later."""
    monkeypatch.setattr(submitting._decider, "wake", lambda: None)
