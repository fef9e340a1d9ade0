"""As much of HTTP as the demo's services and traders need: one request a connection, JSON both ways."""

import asyncio
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

HOST = "127.0.0.1"
LONGEST_BODY = 64 * 1024


class ServiceError(Exception):
    """A service gave no answer that can be used."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a service was asked. `token`: of its Authorization header."""

    method: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)
    token: str = ""


async def ask(port: int, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer's JSON. Raises ServiceError and OSError; waits as long as its caller lets it."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        sent = json.dumps(body or {}).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Length: {len(sent)}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nConnection: close\r\n\r\n".encode() + sent)
        first, _, answer = await _read(reader)
    finally:
        writer.close()
    status = first.split(" ")[1] if " " in first else first
    if status != "200":
        raise ServiceError(f"{method} {path.partition('?')[0]} was answered by {status}")
    return answer


async def receive(reader: asyncio.StreamReader) -> Request:
    """A request that has come in. Raises ServiceError."""
    first, headers, body = await _read(reader)
    method, _, rest = first.partition(" ")
    return Request(
        method, rest.partition(" ")[0], body, headers.get("authorization", "").removeprefix("Bearer ")
    )


def answer(status: HTTPStatus, body: dict[str, Any]) -> bytes:
    """An answer, as it goes out."""
    sent = json.dumps(body).encode()
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(sent)}\r\nConnection: close\r\n\r\n".encode() + sent


async def _read(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], dict[str, Any]]:
    """The first line, the headers with small names, and the JSON object that follows."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
        }
        length = int(headers.get("content-length", "0"))
        if not 0 <= length <= LONGEST_BODY:
            raise ServiceError("the message is too long")
        body = json.loads(await reader.readexactly(length) or b"{}")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
        raise ServiceError(f"the message was cut off or cannot be read ({type(error).__name__})") from None
    if not isinstance(body, dict):
        raise ServiceError("the message is no JSON object")
    return head[0], headers, body
