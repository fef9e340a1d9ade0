"""Fields and query parameters that the alerts' API shares. Errors name them and say what is allowed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime

from opsconsole.api.errors import ApiError, invalid

# A refusal of the alerts' own checks begins with the field: `labels.symbol must be text.`, `matchers: …`.
FIELD = re.compile(r"([A-Za-z_][\w.\[\]]*):? (.+)", re.DOTALL)
TIME = "must be a time such as 2026-11-22T10:30:00Z"


def moment(fields: Mapping[str, Any], name: str) -> datetime | None:
    """A time with its offset, in UTC; None when it is missing, null or empty."""
    value = fields.get(name)
    if value in (None, ""):
        return None
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
        # Near the ends of the calendar the same time may not exist in UTC.
        found = found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise invalid(name, TIME)
    return found


def one_of(fields: Mapping[str, Any], name: str, allowed: Sequence[str]) -> str:
    """One of these words; empty when it is missing, null or empty."""
    value = fields.get(name)
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or value not in allowed:
        raise invalid(name, f"must be one of {', '.join(allowed)}")
    return value


def true_or_false(fields: Mapping[str, Any], name: str) -> bool | None:
    """Of a query; None when it is missing or empty."""
    text = one_of(fields, name, ("true", "false"))
    return text == "true" if text else None


def within(at: datetime | None, name: str, *, now: datetime, past: timedelta, future: timedelta) -> None:
    """400 when a time lies too far off to be meant."""
    if at is not None and not now - past <= at <= now + future:
        raise invalid(name, f"must be at most {_words(past)} ago, and at most {_words(future)} ahead")


def _words(length: timedelta) -> str:
    hours = round(length.total_seconds() / 3600)
    count, unit = (hours // 24, "day") if hours >= 24 else (hours, "hour")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


@contextmanager
def checking() -> Iterator[None]:
    """ValueErrors of the alerts' own checks are answered with 400."""
    try:
        yield
    except ValueError as error:
        raise refused(error) from None


def refused(error: ValueError, *, field: str = "") -> ApiError:
    """400, naming the field with which the sentence begins, or `field`."""
    found = FIELD.fullmatch(str(error))
    if field or found is None:
        return invalid(field, str(error)) if field else ApiError(400, "invalid", str(error))
    return invalid(found[1], found[2].rstrip("."))
