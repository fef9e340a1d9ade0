"""Request bodies: JSON, a form, or nothing, whatever the header calls them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from rest_framework.request import Request

from opsconsole.api.errors import ApiError

LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Body:
    """What was sent. `problems`: why `fields` may not be all of it; `raw`: the text as it came."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    raw: str = ""

    def or_refuse(self) -> Mapping[str, Any]:
        """The fields, for calls that take no half-understood body: 400 `invalid_body` if there were problems."""
        if self.problems:
            raise ApiError(400, "invalid_body", self.problems[0])
        return self.fields


def read_body(request: Request, *, limit: int = LIMIT) -> Body:
    """The body as a mapping of fields. Only its length is refused here: over `limit` bytes is 413."""
    return parse_body(raw_body(request, limit=limit))


def raw_body(request: Request, *, limit: int = LIMIT) -> bytes:
    """The body as it came. Raises ApiError (413) over `limit` bytes."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    raw = b"" if length > limit else request._request.body  # noqa: SLF001  DRF's own `data` would parse it, and refuse unknown content types
    if max(length, len(raw)) > limit:
        raise ApiError(413, "too_large", f"The body may have {limit} bytes.", {"limit": limit})
    return raw


def parse_body(raw: bytes) -> Body:
    """JSON if it looks like it (curl's -d calls JSON a form, unless told otherwise), else a form. Repeated form fields: the last one counts."""
    text = raw.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if not text:
        return Body()
    if text[0] in '{["':
        return _json(text)
    pairs = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=None)
    if "=" not in text or not pairs:
        return Body(problems=("The body is neither a JSON object nor a form.",), raw=text)
    return Body(fields=dict(pairs), raw=text)


def _json(text: str) -> Body:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Body(problems=("The body is not valid JSON.",), raw=text)
    if not isinstance(value, dict):
        return Body(problems=("The body is JSON, but not an object.",), raw=text)
    return Body(fields=value, raw=text)
