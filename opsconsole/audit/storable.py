"""Whatever people and processes send, in a form that PostgreSQL can hold.

`json` and `text` refuse what Python's JSON reader lets through: NUL characters, lone surrogates, NaN and infinities, deep nesting. A stop must
not fail over that, and the trail must show what was sent; so it is rewritten, never refused.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
DEPTH = 20
ITEMS = 1000


def storable_text(value: str, *, length: int | None = None) -> str:
    """`value` without NUL and lone surrogates (each becomes U+FFFD), cut to `length` characters with an ellipsis at its end."""
    value = UNSTORABLE.sub("�", value)
    return value if length is None or len(value) <= length else value[: length - 1] + "…"


def storable_json(value: Any, *, depth: int = DEPTH) -> Any:
    """`value` as plain JSON that `jsonb` accepts; NaN and infinities become their names, what lies deeper than `depth` its text."""
    match value:
        case None | bool():
            return value
        case str():
            return storable_text(value)
        case int():
            return value if -(2**63) <= value < 2**63 else _number_text(value)
        case float():
            return value if isfinite(value) else str(value)
        case datetime() | date() | time() | timedelta() | Decimal() | UUID():
            return value if not isinstance(value, Decimal) else str(value)
    if depth <= 0:
        return "(nested too deeply)"
    if isinstance(value, Mapping):
        return {
            storable_text(str(key)): storable_json(item, depth=depth - 1)
            for key, item in _some(value.items())
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [storable_json(item, depth=depth - 1) for item in _some(value)]
    return storable_text(str(value))


def _some(items: Any) -> list[Any]:
    return list(items)[:ITEMS]


def _number_text(value: int) -> str:
    """Python refuses to print integers of more than 4,300 digits."""
    return str(value) if value.bit_length() < 10_000 else f"(an integer of {value.bit_length()} bits)"
