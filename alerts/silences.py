"""Silences as the pages show them: matchers as text, and which alerts each of them holds now."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from alerts.board import Row
from alerts.choices import AlertState
from alerts.labels import seen_labels
from alerts.matching import Matcher, parse_filter
from alerts.models import Alert, Silence
from alerts.silence_index import open_silences

# Firing alerts that a preview looks at, the newest first; and those that it shows.
LOOKED_AT = 5000
PREVIEWED = 10
EXPIRED_SHOWN = 20
OPEN_SHOWN = 200


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """`held`: how many firing alerts match it now; None for one that is over."""

    silence: Silence
    state: str
    matchers: list[str]
    held: int | None
    now: datetime

    @property
    def until_end(self) -> timedelta:
        return self.silence.ends_at - self.now

    @property
    def until_start(self) -> timedelta:
        return self.silence.starts_at - self.now


@dataclass(frozen=True, slots=True)
class Preview:
    """What a silence with these matchers would hold now. `all_seen`: every firing alert was looked at."""

    rows: list[Row]
    total: int
    all_seen: bool


def lines_of(matchers: Sequence[Mapping[str, Any]]) -> list[str]:
    """As Alertmanager writes them: `severity=~"page|critical"`."""
    return [f"{m['name']}{_sign(m)}{json.dumps(str(m['value']), ensure_ascii=False)}" for m in matchers]


def lines_for(alert: Alert) -> str:
    """Matchers that hold exactly this alert, one a line."""
    labels = seen_labels(category=alert.category, title=alert.title, labels=alert.labels)
    return "\n".join(lines_of([{"name": name, "value": value} for name, value in labels.items()]))


def parse_lines(text: str) -> list[Matcher]:
    """One matcher a line. Raises ValueError, with the line's number."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found.append(parse_filter(line.strip()))
        except ValueError as error:
            raise ValueError(f"matchers, line {number}: {error}") from None
    return found


def preview(matchers: Sequence[Matcher], *, now: datetime) -> Preview:
    """One query."""
    looked = list(_firing())
    found = [alert for alert in looked if all(matcher.matches(_labels(alert)) for matcher in matchers)]
    return Preview([Row(alert, now) for alert in found[:PREVIEWED]], len(found), len(looked) < LOOKED_AT)


def listed(*, now: datetime) -> dict[str, list[SilenceRow]]:
    """By state: `active` (the one that ends first at the beginning), `pending`, `expired` (the newest)."""
    alive = Silence.objects.filter(ends_at__gt=now).order_by("ends_at", "id")[:OPEN_SHOWN]
    over = Silence.objects.filter(ends_at__lte=now).order_by("-ends_at")[:EXPIRED_SHOWN]
    held = _held(now) if alive else Counter()
    return {
        "active": [row_of(s, now=now, held=held[str(s.pk)]) for s in alive if s.starts_at <= now],
        "pending": [row_of(s, now=now) for s in alive if s.starts_at > now],
        "expired": [row_of(s, now=now) for s in over],
    }


def row_of(silence: Silence, *, now: datetime, held: int | None = None) -> SilenceRow:
    state = "expired" if silence.ends_at <= now else "active" if silence.starts_at <= now else "pending"
    return SilenceRow(silence, state, lines_of(silence.matchers), held, now)


def _held(now: datetime) -> Counter[str]:
    index, held = open_silences(at=now), Counter[str]()
    for alert in _firing():
        held.update(str(silence.id) for silence in index.covering(_labels(alert), at=now))
    return held


def _firing() -> QuerySet[Alert]:
    return Alert.objects.filter(state=AlertState.FIRING).order_by("-id")[:LOOKED_AT]


def _labels(alert: Alert) -> Mapping[str, str]:
    return seen_labels(category=alert.category, title=alert.title, labels=alert.labels)


def _sign(matcher: Mapping[str, Any]) -> str:
    equal, regex = matcher.get("isEqual", True), matcher.get("isRegex", False)
    return {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}[(equal, regex)]
