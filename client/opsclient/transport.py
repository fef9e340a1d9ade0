"""HTTP to the console, over the standard library: the token goes to this one address and nowhere else.

No proxies, no redirects, no netrc: each of those could carry the token elsewhere or hold a stop back.
"""

import contextlib
import http.client
import json
import re
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opsclient import clock
from opsclient.errors import ConfigurationError, ConsoleUnreachable

CONNECT_S = 2.0
ANSWER_S = 5.0
KEEP_S = 4.0  # a connection idle for longer may be dead without a sign, closed by the server or forgotten by a firewall
LONGEST_ANSWER = 4 * 1024 * 1024
_TOKEN = re.compile(r"[\x21-\x7e]+")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the console is, and the token for it, which no `repr` shows."""

    scheme: str
    host: str
    port: int
    base_path: str
    token: str | None = field(repr=False)
    tls: ssl.SSLContext | None = field(repr=False)

    @property
    def url(self) -> str:
        """The address, for people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.base_path}"

    @property
    def is_loopback(self) -> bool:
        """Whether the console runs on this machine."""
        return self.host in LOOPBACK

    def connect(self) -> http.client.HTTPConnection:
        """An open connection. Raises OSError; never waits longer than CONNECT_S for each address of the host."""
        connection: http.client.HTTPConnection
        if self.tls is not None:
            connection = http.client.HTTPSConnection(
                self.host, self.port, timeout=CONNECT_S, context=self.tls
            )
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=CONNECT_S)
        connection.connect()
        connection.sock.settimeout(ANSWER_S)
        return connection

    def poster(self) -> "Poster":
        """Speaks to it, for one thread."""
        return Poster(self)

    def headers(self, **more: str) -> dict[str, str]:
        """The headers of every request; names are given with _ for -."""
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    def clean(self, text: str) -> str:
        """The text without the token, should something have put it there."""
        return text.replace(self.token, "…") if self.token else text


def parse_endpoint(
    url: str, *, token: str | None, verify: str | Path | None, names: tuple[str, str, str]
) -> Endpoint:
    """An endpoint from its parts; `names` are what url, token and verify are called in errors (ConfigurationError)."""
    url_name, token_name, verify_name = names
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except (ValueError, AttributeError):
        raise ConfigurationError(
            f"{url_name} must be an address such as https://console.example:8000"
        ) from None
    if "@" in parts.netloc:
        raise ConfigurationError(f"{url_name} must not contain a user name or a password; use {token_name}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"{url_name} must begin with http:// or https:// and name a host")
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{url_name} must not have a query or a fragment")
    if token is None and parts.hostname not in LOOPBACK:
        raise ConfigurationError(
            f"{token_name} is missing: only a console on this machine may be used without a token"
        )
    if token is not None and not _TOKEN.fullmatch(token):
        raise ConfigurationError(f"{token_name} must be one word of printable ASCII characters")
    tls = _tls(verify, verify_name) if parts.scheme == "https" else None
    default_port = 443 if tls else 80
    base_path = parts.path.rstrip("/")
    return Endpoint(parts.scheme, parts.hostname, port or default_port, base_path, token, tls)


def _tls(verify: str | Path | None, name: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(verify) if verify is not None else None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{name} must be a file of CA certificates in PEM form: {error}") from None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API. `data` is the JSON object, empty if there was none."""

    status: int
    data: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Whether the console did what was asked."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The status with the API's own words for an error."""
        error = self.data.get("error")
        message = error.get("message") if isinstance(error, dict) else None
        return f"{self.status}: {message}"[:300] if message else str(self.status)


class Poster:
    """Sends POST and PATCH requests over one connection, which it keeps open. For one thread only."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._connection: http.client.HTTPConnection | None = None
        self._used_at = 0.0

    def post(self, path: str, body: bytes, *, key: str | None = None) -> Answer:
        """As `send`, with POST."""
        return self.send("POST", path, body, key=key)

    def send(self, method: str, path: str, body: bytes, *, key: str | None = None) -> Answer:
        """The answer, whatever its status. Raises ConsoleUnreachable if there is none, or none of an opsconsole."""
        if clock.now() - self._used_at > KEEP_S:
            self.close()
        kept = self._connection is not None
        try:
            try:
                return self._send(method, path, body, key)
            except (ConnectionError, http.client.BadStatusLine):
                if not kept:
                    raise
                # The server may have closed a kept connection at any time; every request here may be repeated.
                return self._send(method, path, body, key)
        except (OSError, http.client.HTTPException) as error:
            text = self._endpoint.clean(str(error) or type(error).__name__)
            raise ConsoleUnreachable(f"no answer from {self._endpoint.url}: {text}") from None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None

    def _send(self, method: str, path: str, body: bytes, key: str | None) -> Answer:
        connection = self._connection or self._endpoint.connect()
        self._connection = None
        headers = self._endpoint.headers(Content_Type="application/json", Accept="application/json")
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            connection.request(method, self._endpoint.base_path + path, body, headers)
            response = connection.getresponse()
            raw = response.read(LONGEST_ANSWER + 1)
            answer = _read(response, raw)
        except BaseException:
            connection.close()
            raise
        if len(raw) <= LONGEST_ANSWER and not response.will_close:
            self._connection, self._used_at = connection, clock.now()
        else:
            connection.close()
        return answer


def _read(response: http.client.HTTPResponse, raw: bytes) -> Answer:
    try:
        data = json.loads(raw) if raw.strip() else {}
    except ValueError:
        data = None
    if isinstance(data, dict):
        return Answer(response.status, data)
    if response.status in (401, 403, 404, 409) or response.status >= 429:
        return Answer(response.status, {})
    raise ConsoleUnreachable(f"the answer ({response.status}) is not that of an opsconsole")


def shut(connection: http.client.HTTPConnection) -> None:
    """Wake whoever reads from the connection in another thread: it sees the end of the stream."""
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
