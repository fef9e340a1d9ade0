"""What an alert may look like: for the API, for Prometheus' alerts, and for the service itself.

Each check returns nothing, or raises ValueError with a sentence that names the field and what is allowed. Nothing is cut or rewritten here.
Right-to-left marks and HTML are text like any other: they are made harmless where they are shown.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

TITLE = 200
MESSAGE = 10_000
SOURCE = 64
DEDUPE_KEY = 200
URL = 2048
MOST_LABELS = 64
LABEL_NAME = 64
LABEL_VALUE = 512
ANNOTATION = 4096
# Bytes of JSON, and how deep it may go.
DETAILS = 16 * 1024
DETAILS_DEPTH = 10
# Alerts in one call.
BATCH = 1000
# The years that a time may lie in: what every zone, and the database, can hold.
YEARS = range(1970, 9000)
# How old an alert may be that waited at its sender, and how far ahead its clock may be.
OLDEST = timedelta(days=7)
AHEAD = timedelta(minutes=10)

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# In one line: control characters, the line and paragraph separators, and what no database holds. In a text, blanks and ends of lines may stand.
NOT_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
NOT_IN_A_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def check_line(field: str, value: object, *, longest: int, empty: bool = True) -> None:
    """A text of one line."""
    text = _text(field, value, longest)
    if not empty and not text.strip():
        raise ValueError(f"{field} must not be empty.")
    if not text.isprintable() and NOT_IN_A_LINE.search(text):
        raise ValueError(f"{field} must be one line without control characters.")


def check_text(field: str, value: object, *, longest: int) -> None:
    """A text of any number of lines."""
    text = _text(field, value, longest)
    if not text.isprintable() and NOT_IN_A_TEXT.search(text):
        raise ValueError(f"{field} must not have control characters other than tabs and ends of lines.")


def check_labels(field: str, labels: object) -> None:
    """Names as Prometheus has them; values of one line."""
    for name, value in _pairs(field, labels):
        check_line(f"{field}.{name}", value, longest=LABEL_VALUE)


def check_annotations(field: str, annotations: object) -> None:
    for name, value in _pairs(field, annotations):
        check_text(f"{field}.{name}", value, longest=ANNOTATION)


def check_details(field: str, details: object) -> None:
    """A JSON object, of at most 16 KiB as JSON."""
    if not isinstance(details, Mapping):
        raise ValueError(f"{field} must be an object.")
    if not details:
        return
    _check_json(field, details, DETAILS_DEPTH)
    size = len(msgspec.json.encode(details))
    if size > DETAILS:
        raise ValueError(f"{field} has {size} bytes as JSON; at most {DETAILS} are allowed.")


def check_choice(field: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{field} must be one of {', '.join(choices)}.")


def check_moment(field: str, value: object) -> None:
    """A time with its zone, of a year that can be stored."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(f"{field} must be a time with its zone, such as 2026-11-23T14:13:05Z.")
    if value.year not in YEARS:
        raise ValueError(f"{field} must lie between the years {YEARS.start} and {YEARS.stop - 1}.")


def check_time(field: str, value: datetime, *, now: datetime, oldest: timedelta | None = OLDEST) -> None:
    """A time with its zone; not further ahead than clocks differ. `oldest` None: however long ago."""
    check_moment(field, value)
    if value > now + AHEAD:
        raise ValueError(f"{field} lies in the future: {_iso(value)}. The console's clock says {_iso(now)}.")
    if oldest is not None and value < now - oldest:
        raise ValueError(
            f"{field} is too long ago: {_iso(value)}. At most {oldest.days} days before {_iso(now)} are allowed."
        )


def _text(field: str, value: object, longest: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{field} must be text.")
    if len(value) > longest:
        raise ValueError(f"{field} has {len(value)} characters; at most {longest} are allowed.")
    return value


def _pairs(field: str, given: object) -> list[tuple[str, Any]]:
    if not isinstance(given, Mapping):
        raise ValueError(f"{field} must be an object of names and texts.")
    if len(given) > MOST_LABELS:
        raise ValueError(f"{field} has {len(given)} entries; at most {MOST_LABELS} are allowed.")
    for name in given:
        if not isinstance(name, str) or len(name) > LABEL_NAME or not NAME.fullmatch(name):
            raise ValueError(
                f"{field} has a name that is not allowed: {str(name)[:LABEL_NAME]!a}. A name begins with a letter or _, "
                f"has only letters, digits and _ after it, and at most {LABEL_NAME} characters."
            )
    return list(given.items())


def _check_json(field: str, value: Any, depth: int) -> None:
    match value:
        case None | bool() | datetime():
            return
        case str():
            check_text(field, value, longest=DETAILS)
        case int():
            if not -(2**63) <= value < 2**63:
                raise ValueError(f"{field} has an integer of more than 64 bits.")
        case float():
            if value != value or value in (float("inf"), float("-inf")):
                raise ValueError(f"{field} has NaN or an infinity, which JSON does not have.")
        case Mapping() | list() | tuple():
            _check_nested(field, value, depth)
        case _:
            raise ValueError(f"{field} has a {type(value).__name__}; allowed is what JSON has.")


def _check_nested(field: str, value: Any, depth: int) -> None:
    if depth <= 0:
        raise ValueError(f"{field} is nested more than {DETAILS_DEPTH} deep.")
    items = value.items() if isinstance(value, Mapping) else [("", item) for item in value]
    for name, item in items:
        check_line(f"{field}: a name", name, longest=LABEL_VALUE)
        _check_json(field, item, depth - 1)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
