"""One POST for channels, one GET for health checks: no proxy, no redirect, no cookie, nothing from the environment; verified TLS; a limit on
the whole of it.

The address is looked up once, checked, and then used, so that a name cannot point elsewhere between the check and the call.
"""

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import IPPROTO_TCP, SHUT_RDWR, SOCK_STREAM, create_connection, gaierror, getaddrinfo, socket
from threading import Timer
from time import monotonic
from urllib.parse import SplitResult, urlsplit

import certifi

from alerts.channels.base import SEND_LIMIT, SendFailed

Address = IPv4Address | IPv6Address

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
# What we read of an answer; the rest is of no interest.
LONGEST_ANSWER = 64 * 1024
# So that a service on this very host takes a channel for what it is, and not for a person who sits there (see accounts.authentication).
VIA = "1.1 opsconsole"


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` have small names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Deadline:
    """The limit on everything that one send does, in one call or several."""

    def __init__(self, seconds: float = SEND_LIMIT) -> None:
        self._end = monotonic() + seconds

    def left(self) -> float:
        return max(0.1, self._end - monotonic())


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allowed: Callable[[Address], str | None] | None = None,
    limit: float = SEND_LIMIT,
) -> Answer:
    """POST and read the answer, whatever its status. `allowed` tells why an address may not be used (None: it may).

    Raises SendFailed, whose text names the host at most: a URL may be a secret.
    """
    return _ask("POST", url, body, headers, allowed, limit)


def get(
    url: str,
    headers: Mapping[str, str],
    *,
    allowed: Callable[[Address], str | None] | None = None,
    limit: float = SEND_LIMIT,
) -> Answer:
    """The same with GET."""
    return _ask("GET", url, None, headers, allowed, limit)


def connect(
    host: str, port: int, *, allowed: Callable[[Address], str | None] | None = None, limit: float
) -> socket:
    """A plain connection that somebody else closes. Raises SendFailed."""
    try:
        return _reach(_look_up(host, port, allowed), port, limit)
    except OSError as error:
        raise SendFailed(f"{host}: no connection ({_why(error)})") from None


def _ask(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    allowed: Callable[[Address], str | None] | None,
    limit: float,
) -> Answer:
    parts = urlsplit(url)
    deadline = Deadline(limit)
    connection = _connect(parts, allowed, min(CONNECT_SECONDS, limit))
    with closing(connection), time_limit(deadline.left(), lambda: connection.sock) as over:
        return _exchange(connection, method, parts, body, headers, over)


@contextmanager
def time_limit(seconds: float, sock: Callable[[], socket | None]) -> Iterator[Callable[[], bool]]:
    """Cut the connection off after so many seconds: timeouts of sockets begin anew with each byte. Gives "is it over?"."""
    passed = False

    def cut() -> None:
        nonlocal passed
        passed = True
        with suppress(OSError):
            # The plain socket's, also for TLS: its own would wait for the other side.
            if (held := sock()) is not None:
                socket.shutdown(held, SHUT_RDWR)

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield lambda: passed
    finally:
        timer.cancel()


def seconds_to_wait(answer: Answer) -> float | None:
    """`Retry-After` in seconds, at most a day. None: not said, or said as a date that we leave to our own back-off."""
    try:
        return min(86_400.0, max(0.0, float(answer.headers.get("retry-after", ""))))
    except ValueError:
        return None


def _connect(
    parts: SplitResult, allowed: Callable[[Address], str | None] | None, limit: float
) -> HTTPConnection:
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    connection = HTTPConnection(host, port)
    try:
        sock = _reach(_look_up(host, port, allowed), port, limit)
        try:
            connection.sock = _context().wrap_socket(sock, server_hostname=host) if secure else sock
        except BaseException:
            sock.close()
            raise
    except ssl.SSLCertVerificationError as error:
        raise SendFailed(f"{host}: its certificate is not valid ({error.verify_message})") from None
    except OSError as error:
        raise SendFailed(f"{host}: no connection ({_why(error)})") from None
    connection.sock.settimeout(READ_SECONDS)
    return connection


def _look_up(host: str, port: int, allowed: Callable[[Address], str | None] | None) -> Sequence[Address]:
    try:
        found = [
            ip_address(entry[4][0]) for entry in getaddrinfo(host, port, type=SOCK_STREAM, proto=IPPROTO_TCP)
        ]
    except (gaierror, UnicodeError):
        raise SendFailed(f"{host}: there is no such host, or the name server does not answer") from None
    refusals = {address: allowed(address) if allowed else None for address in found}
    usable = [address for address in found if refusals[address] is None]
    if not usable:
        raise SendFailed(f"{host}: {next(iter(refusals.values()), 'it has no address')}", permanent=True)
    return usable


def _reach(addresses: Sequence[Address], port: int, limit: float) -> socket:
    """The first that answers; each gets its share of the time."""
    failure: OSError | None = None
    for address in addresses:
        try:
            return create_connection((str(address), port), timeout=limit / len(addresses))
        except OSError as error:
            failure = error
    raise failure or OSError("no address")


def _exchange(
    connection: HTTPConnection,
    method: str,
    parts: SplitResult,
    body: bytes | None,
    headers: Mapping[str, str],
    over: Callable[[], bool],
) -> Answer:
    host = parts.hostname or ""
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    own = {"Host": _host(parts), "Via": VIA, "User-Agent": "opsconsole", "Connection": "close"}
    sent = False
    try:
        connection.request(method, target, body=body, headers={**own, **headers})
        sent = True
        response = connection.getresponse()
        if over():
            # Headers that were cut off look as if they had ended.
            raise TimeoutError
        return Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.getheaders()},
            body=_read(response, over),
        )
    except (OSError, HTTPException, ValueError) as error:
        if not sent:
            raise SendFailed(f"{host}: cut off before all was sent ({_why(error)})") from None
        why = "no whole answer in time" if over() or isinstance(error, TimeoutError) else _why(error)
        raise SendFailed(f"{host}: {why}; it may have arrived", maybe_delivered=True) from None


def _read(response: HTTPResponse, over: Callable[[], bool]) -> bytes:
    """The beginning of the answer. With its status we know enough, so a body that is cut off is no failure."""
    body = b""
    with suppress(OSError, HTTPException):
        while len(body) < LONGEST_ANSWER and not over() and (part := response.read1(LONGEST_ANSWER)):
            body += part
    return body


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    name = f"[{host}]" if ":" in host else host
    return name if parts.port is None else f"{name}:{parts.port}"


def _why(error: Exception) -> str:
    """An error in a word or two, without any address in it."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return type(error).__name__


@cache
def _context() -> ssl.SSLContext:
    """The system's authorities (SSL_CERT_FILE is obeyed), and certifi's where a small image has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
