"""HTTP, TCP and certificates: what is asked, what is said of it, and what is said to nobody. Real connections on loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import create_server
from typing import Any

import pytest

from monitoring.health.checks.base import Failed
from monitoring.health.checks.network import CertificateCheck, HttpCheck, TcpCheck
from monitoring.health.choices import Status
from tests.health.looking import NOW


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        authorized = self.headers.get("Authorization") == "Bearer hush"
        self.send_response(200 if authorized else 401)
        self.end_headers()
        self.wfile.write(b"prices are flowing")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
        pass


@contextmanager
def serving() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server.server_port
        server.shutdown()


HTTP: dict[str, Any] = {
    "status_from": 200,
    "status_to": 399,
    "contains": "",
    "degraded_ms": 60_000,
    "unhealthy_ms": 60_000,
    "budget": 5.0,
}


def test_an_http_target_and_its_secrets() -> None:
    with serving() as port:
        url = f"http://127.0.0.1:{port}/health?key=hush"
        check = HttpCheck(url=url, authorization="Bearer hush", **HTTP)
        result = check.run(NOW)
        refused = HttpCheck(url=url, **HTTP | {"contains": "something else"}).run(NOW)
    assert (result.status, result.message) == (Status.HEALTHY, "It answered 200")
    assert refused.status == Status.UNHEALTHY
    assert refused.message == "It answered 401; Its answer lacks the text that it must contain"
    assert "hush" not in repr(check) + repr(result) + repr(refused)
    with pytest.raises(Failed, match="no connection") as error:
        check.run(NOW)
    assert "hush" not in str(error.value)


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "http://[fe80::1]/"])
def test_addresses_that_are_nobodys_to_ask(url: str) -> None:
    with pytest.raises(Failed, match="a link-local or metadata address"):
        HttpCheck(url=url, **HTTP).run(NOW)


def test_a_target_that_hangs_is_cut_off() -> None:
    with create_server(("127.0.0.1", 0)) as hangs:
        url = f"http://127.0.0.1:{hangs.getsockname()[1]}/"
        with pytest.raises(Failed, match="no whole answer in time"):
            HttpCheck(url=url, **HTTP | {"budget": 0.2}).run(NOW)


def test_a_tcp_target() -> None:
    with create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        check = TcpCheck(host="127.0.0.1", port=port, degraded_ms=60_000, unhealthy_ms=60_000, budget=5)
        assert check.run(NOW).status == Status.HEALTHY
    with pytest.raises(Failed, match="no connection"):
        check.run(NOW)


@pytest.mark.parametrize(
    ("days", "status"), [(22, "healthy"), (21, "degraded"), (7, "unhealthy"), (-1, "unhealthy")]
)
def test_a_certificate_by_the_days_that_are_left(
    monkeypatch: pytest.MonkeyPatch, days: int, status: str
) -> None:
    check = CertificateCheck(host="a.example", port=443, degraded_days=21, unhealthy_days=7, budget=5)
    monkeypatch.setattr(CertificateCheck, "_expiry", lambda _: NOW + timedelta(days=days))
    assert check.run(NOW).status == status


def test_a_server_without_a_certificate() -> None:
    with serving() as port, pytest.raises(Failed, match="No TLS with "):
        CertificateCheck(host="127.0.0.1", port=port, degraded_days=21, unhealthy_days=7, budget=5).run(NOW)
