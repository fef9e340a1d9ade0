"""What Alertmanager's API takes: bodies decoded and checked as its schema and its handlers do it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec

from alerts.alertmanager.errors import (
    REQUIRED,
    TOO_FEW,
    WRONG_TYPE,
    Refused,
    handler_error,
    http_error,
    schema_error,
)
from alerts.alertmanager.times import read_time, timeout_from

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# Names that were found right before, so that a batch costs one comparison of sets an alert.
MOST_NAMES = 10_000
_good_names: set[str] = set()

# Blanks, control characters, and a percent sign that begins no escape.
NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f]|%(?![0-9A-Fa-f]{2})")

Labels = dict[str, str]


class PostedAlert(msgspec.Struct, rename="camel"):
    """An alert in a POST, as it came."""

    labels: Labels | None = None
    annotations: Labels | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    generator_url: str | None = msgspec.field(default=None, name="generatorURL")


class PostedMatcher(msgspec.Struct, rename="camel"):
    name: str | None = None
    value: str | None = None
    is_regex: bool | None = None
    is_equal: bool | None = None


class PostedSilence(msgspec.Struct, rename="camel"):
    """A silence in a POST, as it came; every field but id and annotations must be there."""

    matchers: list[PostedMatcher] | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    created_by: str | None = None
    comment: str | None = None
    id: str | None = None
    annotations: Labels | None = None


@dataclass(frozen=True, slots=True)
class SoundAlert:
    """One that may be stored: labels without empty values. `ends_at` None: its sender will say when it is over."""

    labels: Labels
    annotations: Labels
    starts_at: datetime
    ends_at: datetime | None
    generator_url: str


@dataclass(frozen=True, slots=True)
class SoundSilence:
    """`id` empty: a new one. Matchers as JSON, as `alerts.matching.parse_matchers` takes them."""

    id: str
    matchers: list[dict[str, object]]
    starts_at: datetime | None
    ends_at: datetime | None
    created_by: str
    comment: str
    annotations: Labels | None


_alerts = msgspec.json.Decoder(list[PostedAlert] | None)
_silence = msgspec.json.Decoder(PostedSilence)


def decode_alerts(body: bytes) -> list[PostedAlert]:
    """Raises Refused: 422 where the schema forbids it, 400 where it is no JSON of that kind."""
    if not body.strip():
        raise schema_error(REQUIRED, "alerts in body is required")
    try:
        posted = _alerts.decode(body) or []
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unparsed("alerts", error) from None
    for number, alert in enumerate(posted):
        if alert.labels is None:
            raise schema_error(REQUIRED, f"{number}.labels in body is required")
        if alert.generator_url and not is_url(alert.generator_url):
            message = f'{number}.generatorURL in body must be of type uri: "{alert.generator_url}"'
            raise schema_error(WRONG_TYPE, message)
        try:
            read_time(alert.starts_at), read_time(alert.ends_at)
        except ValueError as error:
            raise _unparsed("alerts", error) from None
    return posted


def sound_alert(
    *,
    labels: Labels,
    annotations: Labels,
    starts_at: datetime | None,
    ends_at: datetime | None,
    generator_url: str,
    now: datetime,
    lasts: bool = False,
) -> SoundAlert:
    """`lasts`: without an end it goes on until its sender ends it. Raises ValueError with Alertmanager's own sentence."""
    starts_at = starts_at or ends_at or now
    if ends_at is not None and starts_at > ends_at:
        raise ValueError("start time must be before end time")
    kept = {name: value for name, value in labels.items() if value}
    if not kept:
        raise ValueError("at least one label pair required")
    _check_names("label set", kept)
    _check_names("annotations", annotations)
    if ends_at is None and not lasts:
        ends_at = timeout_from(now)
    return SoundAlert(kept, annotations, starts_at, ends_at, generator_url)


def decode_silence(body: bytes) -> SoundSilence:
    """Raises Refused, as `decode_alerts()`."""
    if not body.strip():
        raise schema_error(REQUIRED, "silence in body is required")
    try:
        posted = _silence.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unparsed("silence", error) from None
    for name, value in (
        ("comment", posted.comment),
        ("createdBy", posted.created_by),
        ("endsAt", posted.ends_at),
        ("matchers", posted.matchers),
        ("startsAt", posted.starts_at),
    ):
        if value is None:
            raise schema_error(REQUIRED, f"{name} in body is required")
    try:
        starts_at, ends_at = read_time(posted.starts_at), read_time(posted.ends_at)
    except ValueError as error:
        raise _unparsed("silence", error) from None
    if not posted.matchers:
        raise schema_error(TOO_FEW, "matchers in body should have at least 1 items")
    return SoundSilence(
        id=posted.id or "",
        matchers=[_matcher(number, matcher) for number, matcher in enumerate(posted.matchers)],
        starts_at=starts_at,
        ends_at=ends_at,
        created_by=posted.created_by or "",
        comment=posted.comment or "",
        annotations=posted.annotations,
    )


@lru_cache(maxsize=10_000)
def is_url(text: str) -> bool:
    """What Go's `url.ParseRequestURI` takes: an absolute URI or an absolute path. Each rule of Prometheus has one, so they come again and again."""
    if not text or NOT_IN_A_URL.search(text):
        return False
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  raises ValueError for a bad port
    except ValueError:
        return False
    return bool(parts.scheme) or text.startswith("/")


def _matcher(number: int, posted: PostedMatcher) -> dict[str, object]:
    for name, value in (("isRegex", posted.is_regex), ("name", posted.name), ("value", posted.value)):
        if value is None:
            raise schema_error(REQUIRED, f"matchers.{number}.{name} in body is required")
    if not NAME.fullmatch(posted.name or ""):
        raise handler_error(
            f'silence invalid: invalid label matcher {number}: invalid label name "{posted.name}"'
        )
    return {
        "name": posted.name,
        "value": posted.value,
        "isRegex": posted.is_regex,
        "isEqual": posted.is_equal is not False,
    }


def _check_names(what: str, labels: Mapping[str, str]) -> None:
    if labels.keys() <= _good_names:
        return
    for name in labels:
        if not NAME.fullmatch(name):
            raise ValueError(f'invalid {what}: invalid name "{name}"')
    if len(_good_names) < MOST_NAMES:
        _good_names.update(labels)


def _unparsed(what: str, error: Exception) -> Refused:
    return http_error(400, f'parsing {what} body from "" failed, because {error}')
