"""Short answers of the ASGI side, in the API's form: what is refused before Django sees it."""

import json
from collections.abc import Mapping
from typing import Any

from asgiref.typing import ASGISendCallable, HTTPResponseBodyEvent, HTTPResponseStartEvent

Headers = tuple[tuple[bytes, bytes], ...]

CLOSE: Headers = ((b"connection", b"close"),)
RETRY_SOON: Headers = ((b"retry-after", b"1"),)
# While the database is away, whichever part of the console says so.
AWAY_CODE = "database_unavailable"
AWAY = "The console's database does not answer. Nothing was changed that it did not confirm."


def start(status: int, headers: Headers) -> HTTPResponseStartEvent:
    return {"type": "http.response.start", "status": status, "headers": headers, "trailers": False}


def body(data: bytes, *, more: bool = False) -> HTTPResponseBodyEvent:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def send_json(
    send: ASGISendCallable, status: int, content: Mapping[str, Any], headers: Headers = ()
) -> None:
    data = json.dumps(content, separators=(",", ":")).encode()
    fixed = (
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(data)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    )
    await send(start(status, fixed + headers))
    await send(body(data))


async def send_error(
    send: ASGISendCallable,
    status: int,
    code: str,
    message: str,
    *,
    details: Mapping[str, Any] | None = None,
    headers: Headers = (),
) -> None:
    error = {"code": code, "message": message, "details": dict(details or {})}
    await send_json(send, status, {"error": error}, headers)
