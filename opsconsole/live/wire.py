"""Server-sent events: their encoding, and the headers and sockets of the answers that carry them."""

import contextlib
import json
import socket
from collections.abc import Mapping
from typing import Any

from asgiref.typing import ASGISendCallable

from opsconsole.replies import Headers

STREAM_HEADERS: Headers = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    # nginx and its kin pass each event on at once.
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
)
# The kernel keeps no more than this for a reader that has stopped reading: what it misses is out of date anyway.
SEND_BUFFER_BYTES = 64 * 1024
# A peer that has vanished without a word is given up after this long.
UNANSWERED_MS = 10_000


def event(name: str, data: Mapping[str, Any]) -> bytes:
    """One event whose data is one line of JSON."""
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def message(text: str) -> bytes:
    """One unnamed event with any text: each of its lines becomes a line of data."""
    lines = "\n".join(f"data: {line}" for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return f"{lines}\n\n".encode()


def _transport(send: ASGISendCallable) -> Any:
    """The connection beneath an ASGI `send`, where the server is uvicorn; None elsewhere. ASGI itself has no name for it."""
    return getattr(getattr(send, "__self__", None), "transport", None)


def tune(send: ASGISendCallable) -> None:
    """Bound what the kernel keeps for this stream, and how long it waits for a peer that does not answer."""
    transport = _transport(send)
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is None:
        return
    # A unix socket knows no TCP options, and a closed one none at all (ValueError); the stream works without them, or ends by itself.
    with contextlib.suppress(OSError, ValueError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED_MS)


def cut(send: ASGISendCallable) -> bool:
    """Drop the connection without waiting for what is still to be written. Returns whether that was possible."""
    transport = _transport(send)
    if transport is None:
        return False
    transport.abort()
    return True
