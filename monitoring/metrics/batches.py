"""What trading processes push: decoded strictly, each series by itself where one of them is no series at all."""

import json
import re
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

MOST_SERIES = 10_000
LONGEST_ID, LONGEST_NAME = 64, 100
# Control characters, and halves of characters, which are no text.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# What msgspec raises for a value of the wrong kind, too large, or a text with half a character.
UNREADABLE = (msgspec.ValidationError, OverflowError, UnicodeError)
PATH = re.compile(r" - at `\$\.?(.*)`$")


class PushedHistogram(msgspec.Struct, forbid_unknown_fields=True):
    count: int
    sum: float
    buckets: list[int]


class PushedSeries(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    labels: dict[str, str] = {}
    inc: float | UnsetType = UNSET
    set: float | UnsetType = UNSET
    histogram: PushedHistogram | UnsetType = UNSET


class Fault(msgspec.Struct, frozen=True, order=True):
    """Why one series of a batch was not taken. `name` empty: it has none."""

    index: int
    name: str
    error: str


class Batch(msgspec.Struct):
    """`series`: by their place in what was sent; `faults`: of those that could not be decoded."""

    batch_id: str
    client: str
    sent_at: datetime
    series: list[tuple[int, PushedSeries]]
    faults: list[Fault] = []


class InvalidBatch(ValueError):
    """The batch as a whole cannot be taken: which field, and what is allowed there."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem = field, problem


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    batch_id: str
    client: str
    sent_at: Annotated[datetime, Meta(tz=True)]


class _Sound(_Envelope):
    series: list[PushedSeries]


class _Doubtful(_Envelope):
    series: list[Any]


_decoder = msgspec.json.Decoder(_Sound)


def decode(body: bytes) -> Batch:
    """Raises InvalidBatch."""
    try:
        sent: _Sound | _Doubtful = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        sent = _decode_doubtful(body)
    _check_name("batch_id", sent.batch_id, LONGEST_ID)
    _check_name("client", sent.client, LONGEST_NAME)
    if not sent.series:
        raise InvalidBatch("series", "must have at least one series")
    if len(sent.series) > MOST_SERIES:
        raise InvalidBatch("series", f"may have {MOST_SERIES} series, not {len(sent.series)}")
    if isinstance(sent, _Sound):
        return Batch(sent.batch_id, sent.client, sent.sent_at, list(enumerate(sent.series)))
    series, faults = [], []
    for index, item in enumerate(sent.series):
        try:
            series.append((index, msgspec.convert(item, PushedSeries)))
        except UNREADABLE as error:
            faults.append(Fault(index, _name_in(item), _said(error)))
    return Batch(sent.batch_id, sent.client, sent.sent_at, series, faults)


def _decode_doubtful(body: bytes) -> _Doubtful:
    """Python's own reader takes NaN and Infinity, so that the series that has them can be named."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidBatch("body", "is not valid JSON") from None
    try:
        return msgspec.convert(value, _Doubtful)
    except UNREADABLE as error:
        field, _, problem = _said(error).partition(": ")
        raise InvalidBatch(*((field, problem) if problem else ("body", field))) from None


def _check_name(field: str, value: str, longest: int) -> None:
    if not 0 < len(value) <= longest:
        raise InvalidBatch(field, f"must have 1 to {longest} characters")
    if UNPRINTABLE.search(value):
        raise InvalidBatch(field, "must not have control characters")


def _name_in(item: Any) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    return shown(name) if isinstance(name, str) else ""


def shown(text: str, longest: int = LONGEST_NAME) -> str:
    """As an answer may repeat it."""
    return UNPRINTABLE.sub("�", text[:longest])


def _said(error: Exception) -> str:
    """msgspec's words with the field in front: `inc: expected float, got str`."""
    if isinstance(error, UnicodeError):
        return "a text in it has half of a character (a surrogate)"
    text = str(error) if isinstance(error, msgspec.ValidationError) else "the number is too large"
    path = PATH.search(text)
    words = shown(PATH.sub("", text).replace("`", ""), 300)
    words = words[:1].lower() + words[1:]
    return f"{shown(path[1])}: {words}" if path else words
