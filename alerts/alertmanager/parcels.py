"""One POST of alerts, read on the event loop as far as that is cheap."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from alerts.alertmanager.contract import Labels, is_url
from alerts.alertmanager.known import Key, Known, KnownAlerts, key_of
from alerts.alertmanager.times import timeout_from
from alerts.services.repeats import Repeat
from opsconsole.audit.actor import Actor

_EMPTY = msgspec.Raw(b"")


class RawAlert(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """An alert of which only the times are read at once."""

    labels: msgspec.Raw
    annotations: msgspec.Raw = _EMPTY
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    generator_url: msgspec.Raw = msgspec.field(default=_EMPTY, name="generatorURL")


@dataclass(slots=True)
class Fresh:
    """An alert that must be decided. `key`: what it will be known by; `raw`: as it came."""

    key: Key
    raw: RawAlert
    labels: Labels
    annotations: Labels
    starts_at: datetime | None
    ends_at: datetime | None
    generator_url: str


@dataclass(slots=True)
class Repeated(Repeat):
    """A known alert that was sent again, and itself in case that it is not known any more."""

    ends_at: datetime
    raw: RawAlert
    key: Key

    def fresh(self) -> Fresh:
        return _fresh(self.key, self.raw)


@dataclass(slots=True)
class Parcel:
    """The alerts of one request, by what they cost. `at`: when it came; `body`: as it came."""

    actor: Actor
    at: datetime
    body: bytes
    size: int
    repeats: dict[int, Repeated] = field(default_factory=dict)
    fresh: list[Fresh] = field(default_factory=list)


class NotPlain(Exception):
    """Django's view answers this one: it knows how to say what is wrong."""


_decode: Callable[[bytes], list[RawAlert]] = msgspec.json.Decoder(list[RawAlert]).decode
encoded: Callable[[list[RawAlert]], bytes] = msgspec.json.Encoder().encode
_texts: Callable[[bytes], Labels | None] = msgspec.json.Decoder(dict[str, str] | None).decode
_text: Callable[[bytes], str | None] = msgspec.json.Decoder(str | None).decode


def read_parcel(body: bytes, *, actor: Actor, known: KnownAlerts, now: datetime) -> Parcel:
    """Raises NotPlain for whatever the contract might refuse as a whole."""
    try:
        alerts = _decode(body)
        parcel = Parcel(actor=actor, at=now, body=body, size=len(alerts))
        _sort(alerts, parcel, known, now)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotPlain from error
    return parcel


def read_posted(body: bytes) -> list[Fresh]:
    """What was written down to be decided. Raises ValueError when another version has written it, and this one cannot read it."""
    try:
        return [_fresh(key_of(raw.labels, raw.annotations, raw.generator_url), raw) for raw in _decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, NotPlain) as error:
        raise ValueError("the body cannot be read") from error


def _sort(alerts: list[RawAlert], parcel: Parcel, known: KnownAlerts, now: datetime) -> None:
    timeout = timeout_from(now)
    decided: set[bytes] = set()
    for raw in alerts:
        key = key_of(raw.labels, raw.annotations, raw.generator_url)
        starts_at, ends_at = _moment(raw.starts_at), _moment(raw.ends_at)
        entry = known.get(key)
        lasts_until = ends_at or timeout
        # After another alert of these very labels in this request the order counts, so both are decided.
        if (
            entry is not None
            and lasts_until > now
            and (starts_at is None or entry.starts_at <= starts_at <= lasts_until)
            and (not decided or bytes(raw.labels) not in decided)
        ):
            _count(parcel.repeats, entry, raw, key, lasts_until)
        else:
            decided.add(bytes(raw.labels))
            parcel.fresh.append(_fresh(key, raw))


def _count(
    repeats: dict[int, Repeated], entry: Known, raw: RawAlert, key: Key, lasts_until: datetime
) -> None:
    found = repeats.get(entry.alert_id)
    if found is None:
        repeats[entry.alert_id] = Repeated(entry.alert_id, 1, lasts_until, raw, key)
    else:
        found.count += 1
        if lasts_until > found.ends_at:
            found.ends_at = lasts_until


def _fresh(key: Key, raw: RawAlert) -> Fresh:
    labels = _texts(raw.labels)
    generator_url = (_text(raw.generator_url) if raw.generator_url else None) or ""
    if labels is None or (generator_url and not is_url(generator_url)):
        raise NotPlain
    annotations: Mapping[str, str] = (_texts(raw.annotations) if raw.annotations else None) or {}
    return Fresh(
        key, raw, labels, dict(annotations), _moment(raw.starts_at), _moment(raw.ends_at), generator_url
    )


def _moment(given: datetime | None) -> datetime | None:
    """Go's zero time is none; a time without a zone is left to the view."""
    if given is None or given.year <= 1:
        return None
    if given.tzinfo is None:
        raise NotPlain
    return given if given.tzinfo is UTC else given.astimezone(UTC)
