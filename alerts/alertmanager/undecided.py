"""Alerts that were posted and wait to be decided, for listings: after 200 an alert can be read, and one that ended is gone."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from alerts.alertmanager import posted
from alerts.alertmanager.filters import Selection
from alerts.alertmanager.parcels import Fresh, read_posted
from alerts.alertmanager.times import timeout_from
from alerts.choices import Priority
from alerts.fingerprint import alertmanager_fingerprint
from alerts.labels import Meaning, mapping
from alerts.models import AlertRule


@dataclass(slots=True)
class Undecided:
    """What the newest post says of one alert. `over`: it has ended. `starts_at`: the earliest that was said of it since it last ended."""

    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    generator_url: str
    at: datetime
    category: str
    priority: str
    over: bool


def undecided(selection: Selection, *, now: datetime) -> dict[str, Undecided]:
    """By fingerprint, those whose labels fit. One short query where none wait."""
    found: dict[str, Undecided] = {}
    meanings = None
    default: dict[str, str] = {}
    for at, fresh in _waiting():
        if meanings is None:
            meanings = mapping()
            default = dict(AlertRule.objects.values_list("category", "default_priority"))
        labels = {name: value for name, value in fresh.labels.items() if value}
        if all(matcher.matches(labels) for matcher in selection.matchers):
            one = _read(fresh, labels, meanings.meaning(labels), default, at, now)
            before = found.get(one.fingerprint)
            if before is not None and not before.over:
                one.starts_at = min(one.starts_at, before.starts_at)
                one.ends_at = one.ends_at if one.over else max(one.ends_at, before.ends_at)
            found[one.fingerprint] = one
    return found


def _waiting() -> Iterator[tuple[datetime, Fresh]]:
    for post in posted.in_order():
        # One that cannot be read: whoever decides it says so and sets it aside.
        with suppress(ValueError):
            for fresh in read_posted(bytes(post.body)):
                yield post.at, fresh


def _read(
    fresh: Fresh,
    labels: Mapping[str, str],
    meaning: Meaning,
    default: Mapping[str, str],
    at: datetime,
    now: datetime,
) -> Undecided:
    ends_at = fresh.ends_at or timeout_from(at)
    return Undecided(
        fingerprint=alertmanager_fingerprint(labels),
        labels=labels,
        annotations=fresh.annotations,
        starts_at=fresh.starts_at or fresh.ends_at or at,
        ends_at=ends_at,
        generator_url=fresh.generator_url,
        at=at,
        category=meaning.category,
        priority=meaning.priority or default.get(meaning.category, Priority.MEDIUM),
        over=ends_at <= now,
    )
