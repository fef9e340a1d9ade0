"""The WSGI environment of an ASGI request (PEP 3333)."""

import io
import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from asgiref.typing import HTTPScope

Environ = dict[str, Any]

_UNPREFIXED = {"HTTP_CONTENT_TYPE": "CONTENT_TYPE", "HTTP_CONTENT_LENGTH": "CONTENT_LENGTH"}


def environ(scope: HTTPScope, content: bytes) -> Environ:
    """`content`: the whole body. Its length is stated even where the client sent it in chunks, for Django reads no further than that."""
    root = scope["root_path"]
    server, port = scope["server"] or ("localhost", None)
    client, client_port = scope["client"] or ("", 0)
    values: Environ = _headers(scope["headers"])
    if content or "CONTENT_LENGTH" in values:
        values["CONTENT_LENGTH"] = str(len(content))
    return values | {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": _wsgi_text(root.encode()),
        "PATH_INFO": _wsgi_text(_path(scope)[len(root.encode()) :]),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server,
        "SERVER_PORT": str(port or 0),
        "REMOTE_ADDR": client,
        "REMOTE_PORT": str(client_port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def _path(scope: HTTPScope) -> bytes:
    """The decoded path, root path included. From the raw one: ASGI's text has lost whatever was not UTF-8."""
    raw = scope.get("raw_path")
    path = unquote_to_bytes(raw) if raw else scope["path"].encode()
    root = scope["root_path"].encode()
    return path if path.startswith(root) else root + path


def _wsgi_text(data: bytes) -> str:
    """PEP 3333: text that stands for bytes, one character for each."""
    return data.decode("latin-1")


def _headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for raw_name, raw_value in headers:
        # WSGI writes - as _, so `X_Real` could pass itself off as the `X-Real` that a proxy sets.
        if b"_" in raw_name:
            continue
        name = "HTTP_" + raw_name.decode("latin-1").upper().replace("-", "_")
        name = _UNPREFIXED.get(name, name)
        value = raw_value.decode("latin-1")
        if name in values:
            value = f"{values[name]}{'; ' if name == 'HTTP_COOKIE' else ','}{value}"
        values[name] = value
    return values
