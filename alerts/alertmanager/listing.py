"""GET /alerts and /alerts/groups: which incidents fire now, sorted by fingerprint.

A listing is made in two passes, so that 100,000 alerts cost little memory: first which ones and in what order; then, some hundred at a time
and only when the reader has taken those before, their texts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from alerts.alertmanager.config import GROUP_BY, Receivers
from alerts.alertmanager.filters import Selection, named_by_sender, narrowed
from alerts.alertmanager.status import ACTIVE, Fingerprints, Suppressions
from alerts.alertmanager.times import time_text, timeout_from
from alerts.alertmanager.undecided import Undecided, undecided
from alerts.choices import AlertState
from alerts.labels import UNNAMED, seen_labels
from alerts.models import Alert

SCAN_ROWS = 2000
TEXT_ROWS = 500
FETCH = f"FETCH {SCAN_ROWS} FROM firing"
# All rows are wanted, which PostgreSQL does not expect of a cursor: it would rather begin soon, and scan for the one hit.
WHOLE = "SET LOCAL cursor_tuple_fraction = 1"

fingerprints = Fingerprints()
_labels = msgspec.json.Decoder(dict[str, str])
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Found:
    """An alert of the first pass. `name`: its label `alertname`; `suppressed` as it was then."""

    fingerprint: str
    id: int
    receivers: tuple[str, ...]
    name: str
    suppressed: bool
    # What was posted of it since, and is not decided yet. `id` 0: nothing of it is.
    undecided: Undecided | None = None


class Listing:
    """One answer, as of `now`."""

    def __init__(self, selection: Selection, *, now: datetime) -> None:
        self._selection = selection
        self._now = now
        self._receivers = Receivers()
        self._suppressions = Suppressions(now)
        self._regexes = selection.in_python()
        # Before the rows are read: what is decided meanwhile is then in both, not in neither.
        self._undecided = undecided(selection, now=now)

    def alerts(self) -> Iterator[bytes]:
        """The JSON array, in pieces."""
        found = sorted(self._scan(grouped=False), key=lambda one: (one.fingerprint, one.id))
        yield from _array(self._texts(found))

    def groups(self) -> Iterator[bytes]:
        """The JSON array of groups, in pieces: the alerts of one name and receiver together."""
        groups: dict[tuple[str, str], list[Found]] = {}
        for one in self._scan(grouped=True):
            for receiver in one.receivers:
                if self._is_asked(receiver):
                    groups.setdefault((one.name, receiver), []).append(one)
        if not self._selection.flags.muted:
            groups = {
                key: members for key, members in groups.items() if not all(one.suppressed for one in members)
            }
        yield from _array(self._group(*key, groups[key]) for key in sorted(groups))

    # First pass

    def _scan(self, *, grouped: bool) -> Iterator[Found]:
        waiting = dict(self._undecided)
        for one in self._stored(grouped=grouped):
            one.undecided = waiting.pop(one.fingerprint, None)
            if one.undecided is None or not one.undecided.over:
                yield one
        for newest in waiting.values():
            if not newest.over:
                yield from self._not_stored(newest)

    def _stored(self, *, grouped: bool) -> Iterator[Found]:
        firing = Alert.objects.filter(Q(ends_at=None) | Q(ends_at__gt=self._now), state=AlertState.FIRING)
        own = narrowed(firing.filter(named_by_sender()), self._selection.matchers)
        ours = firing.exclude(named_by_sender())
        with transaction.atomic():
            yield from self._picked(own, named=True, read=grouped)
            yield from self._picked(ours, named=False, read=True)

    def _not_stored(self, newest: Undecided) -> Iterator[Found]:
        receivers = self._receivers.of(newest.category, newest.priority)
        suppression = self._suppressions.of(newest.labels)
        if any(map(self._is_asked, receivers)) and suppression.shown(self._selection.flags):
            name = newest.labels.get(GROUP_BY, "")
            yield Found(newest.fingerprint, 0, receivers, name, suppression.state != ACTIVE, newest)

    def _picked(self, alerts: QuerySet[Alert], *, named: bool, read: bool) -> Iterator[Found]:
        """`read`: the labels are needed for each."""
        read = read or bool(self._regexes) or self._suppressions.are_possible()
        for alert_id, category, priority, title, text in _walk(alerts):
            receivers = self._receivers.of(category, priority)
            if not any(map(self._is_asked, receivers)):
                continue
            known = None if read else fingerprints.get(alert_id)
            if known is not None:
                yield Found(known, alert_id, receivers, "", suppressed=False)
                continue
            labels = _labels.decode(text)
            seen = labels if named else seen_labels(category=category, title=title, labels=labels)
            matchers = self._regexes if named else self._selection.matchers
            if not all(matcher.matches(seen) for matcher in matchers):
                continue
            suppression = self._suppressions.of(seen)
            if suppression.shown(self._selection.flags):
                fingerprint = fingerprints.of(alert_id, seen)
                name = seen.get(GROUP_BY, "")
                yield Found(fingerprint, alert_id, receivers, name, suppression.state != ACTIVE)

    def _is_asked(self, receiver: str) -> bool:
        pattern = self._selection.receiver
        return pattern is None or pattern.matches(receiver)

    # Second pass

    def _texts(self, found: Sequence[Found]) -> Iterator[bytes]:
        rest = iter(found)
        while part := list(islice(rest, TEXT_ROWS)):
            rows = _rows([one.id for one in part])
            for one in part:
                row = _newest(rows.get(one.id), one.undecided)
                if row is not None:
                    yield _encode(self._shown(one, row))

    def _shown(self, found: Found, row: "_Row") -> dict[str, Any]:
        labels = _labels.decode(row.labels)
        seen = seen_labels(category=row.category, title=row.title, labels=labels)
        annotations = _strings(row.annotations)
        if seen is not labels:
            annotations = {"summary": row.title, "description": row.message} | annotations
        shown: dict[str, Any] = {
            "annotations": annotations,
            "endsAt": time_text(row.ends_at or timeout_from(self._now)),
            "fingerprint": found.fingerprint,
            "receivers": [{"name": name} for name in found.receivers],
            "startsAt": time_text(row.starts_at),
            "status": self._suppressions.of(seen).as_json(),
            "updatedAt": time_text(row.last_at),
            "labels": seen,
        }
        if row.generator_url:
            shown["generatorURL"] = row.generator_url
        return shown

    def _group(self, name: str, receiver: str, members: list[Found]) -> bytes:
        members.sort(key=lambda one: (one.fingerprint, one.id))
        head = {
            "labels": {GROUP_BY: name} if name else {},
            "routeLabels": {},
            "receiver": {"name": receiver},
            "alerts": [msgspec.Raw(text) for text in self._texts(members)],
        }
        return _encode(head)


@dataclass(slots=True)
class _Row:
    category: str
    title: str
    message: str
    labels: str
    annotations: Any
    ends_at: datetime | None
    starts_at: datetime
    last_at: datetime
    generator_url: str


_ROW = (
    "category",
    "title",
    "message",
    "labels_text",
    "annotations",
    "ends_at",
    "starts_at",
    "last_at",
    "generator_url",
)


def _rows(ids: Sequence[int]) -> dict[int, _Row]:
    alerts = Alert.objects.filter(pk__in=ids).annotate(labels_text=Cast("labels", TextField()))
    return {pk: _Row(*rest) for pk, *rest in alerts.values_list("pk", *_ROW)}


def _newest(row: _Row | None, posted: Undecided | None) -> _Row | None:
    """The row with what was posted since."""
    if posted is None:
        return row
    return _Row(
        category=posted.category,
        title=posted.labels.get(GROUP_BY, UNNAMED),
        message="",
        labels=_encode(posted.labels).decode(),
        annotations=posted.annotations,
        ends_at=posted.ends_at if row is None or row.ends_at is None else max(row.ends_at, posted.ends_at),
        starts_at=posted.starts_at if row is None else min(row.starts_at, posted.starts_at),
        last_at=posted.at,
        generator_url=posted.generator_url,
    )


def _walk(alerts: QuerySet[Alert]) -> Iterator[tuple[int, str, str, str, str]]:
    """Rows of the first pass, fetched some thousand at a time: the database keeps the rest. In a transaction; one at a time."""
    wanted = alerts.annotate(labels_text=Cast("labels", TextField())).order_by()
    sql, params = wanted.values_list(
        "pk", "category", "priority", "title", "labels_text"
    ).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"{WHOLE};DECLARE firing NO SCROLL CURSOR FOR {sql};{FETCH}", params)
        # What each of the three says; the rows are the third's.
        while cursor.nextset():
            pass
        while True:
            rows = cursor.fetchall()
            yield from rows
            if len(rows) < SCAN_ROWS:
                break
            cursor.execute(FETCH)
        cursor.execute("CLOSE firing")


def _strings(value: Any) -> dict[str, str]:
    """Annotations as the contract has them, whatever another source stored."""
    if not isinstance(value, dict):
        return {}
    return {str(name): text if isinstance(text, str) else str(text) for name, text in value.items()}


def _array(items: Iterable[bytes]) -> Iterator[bytes]:
    first = True
    yield b"["
    for item in items:
        yield item if first else b"," + item
        first = False
    yield b"]\n"
