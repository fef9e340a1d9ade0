"""Anything as JSON: a stop is never held back because its metadata cannot be encoded."""

import json
import math
from collections.abc import Mapping
from typing import Any

DEPTH = 8
LONGEST_BODY = 60 * 1024  # the console takes 64 KiB


def jsonable(value: object, depth: int = DEPTH) -> Any:
    """The value as JSON can carry it: unknown types and what is nested too deep become texts, NaN does too."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value).encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if depth > 0 and isinstance(value, Mapping):
        return {_text(key): jsonable(item, depth - 1) for key, item in value.items()}
    if depth > 0 and isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item, depth - 1) for item in value]
    return _text(value)


def stop_body(*, reason: str, message: str, metadata: Mapping[str, Any], scope: str, mode: str) -> bytes:
    """The body of an activation; metadata that is too large is replaced by a note of its size."""
    data = {"reason": reason, "message": message[:4000], "metadata": metadata, "scope": scope, "mode": mode}
    body = json.dumps(data).encode()
    if len(body) > LONGEST_BODY:
        data["metadata"] = {"left_out_bytes": len(json.dumps(metadata))}
        body = json.dumps(data).encode()
    return body


def _text(value: object) -> str:
    try:
        text = str(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text[:1000].encode("utf-8", "replace").decode()
