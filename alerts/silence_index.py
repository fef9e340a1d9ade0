"""Which silences cover an alert: for many alerts and many silences."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from alerts.matching import Matcher, parse_matchers
from alerts.models import Silence

# Values of labels for which the answer of every pattern is kept.
MOST_SAID = 10_000


@dataclass(frozen=True, slots=True)
class CompiledSilence:
    id: UUID
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str

    def covers(self, labels: Mapping[str, str], at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at and all(
            matcher.matches(labels) for matcher in self.matchers
        )


class SilenceIndex:
    """Silences by one label that they ask for, so that an alert is compared with few of them.

    What a pattern says of a value is kept: alerts are many, and the values of one label among them few.
    """

    def __init__(self, silences: Iterable[CompiledSilence]) -> None:
        self._by_label: dict[tuple[str, str], list[CompiledSilence]] = {}
        self._by_pattern: dict[str, list[tuple[Matcher, CompiledSilence]]] = {}
        self._said: dict[tuple[str, str], tuple[CompiledSilence, ...]] = {}
        self._all = list(silences)
        for silence in self._all:
            exact = next((m for m in silence.matchers if m.is_equal and not m.is_regex and m.value), None)
            if exact is None:
                first = silence.matchers[0]
                self._by_pattern.setdefault(first.name, []).append((first, silence))
            else:
                self._by_label.setdefault((exact.name, exact.value), []).append(silence)
        self._edges = sorted(edge for silence in self._all for edge in (silence.starts_at, silence.ends_at))

    def __bool__(self) -> bool:
        return bool(self._all)

    def covering(self, labels: Mapping[str, str], *, at: datetime) -> list[CompiledSilence]:
        """The silences that hold `at` that time and match, the one that ends first at the beginning."""
        found = [silence for silence in self._candidates(labels) if silence.covers(labels, at)]
        return sorted(found, key=lambda silence: silence.ends_at) if len(found) > 1 else found

    def active(self, *, at: datetime) -> int:
        """How many hold `at` that time, whatever they match."""
        return sum(silence.starts_at <= at < silence.ends_at for silence in self._all)

    def next_change(self, *, after: datetime) -> datetime | None:
        """When the next of them starts or ends, if nobody changes one."""
        return next((edge for edge in self._edges if edge > after), None)

    def _candidates(self, labels: Mapping[str, str]) -> Iterable[CompiledSilence]:
        for name in self._by_pattern:
            yield from self._fitting(name, labels.get(name, ""))
        if self._by_label:
            for pair in labels.items():
                yield from self._by_label.get(pair, ())

    def _fitting(self, name: str, value: str) -> tuple[CompiledSilence, ...]:
        """Those whose first matcher asks for this label, and takes this value."""
        known = self._said.get((name, value))
        if known is None:
            asked = {name: value}
            known = tuple(silence for matcher, silence in self._by_pattern[name] if matcher.matches(asked))
            if len(self._said) >= MOST_SAID:
                self._said.clear()
            self._said[name, value] = known
        return known


_newest: tuple[tuple[object, ...], SilenceIndex] | None = None
# By number, each with the version of its row: who wrote it, and where.
_compiled: dict[UUID, tuple[str, CompiledSilence]] = {}

STATE = "SELECT (SELECT version FROM alerts_policy WHERE id = 1), count(*), max(updated_at) FROM alerts_silence WHERE ends_at > %s"
OPEN = "SELECT id, xmin::text || ctid::text FROM alerts_silence WHERE ends_at > %s"


def open_silences(*, at: datetime) -> SilenceIndex:
    """Every silence that has not ended `at` that time. One short query; after a change those that have changed are compiled again."""
    global _newest  # noqa: PLW0603  one value per process, replaced as a whole
    with connection.cursor() as cursor:
        cursor.execute(STATE, [at])
        key = cursor.fetchone()
    if _newest is None or _newest[0] != key:
        _newest = (key, SilenceIndex(_all_compiled(at)))
    return _newest[1]


def _all_compiled(at: datetime) -> list[CompiledSilence]:
    global _compiled  # noqa: PLW0603  one value per process, replaced as a whole
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [at])
        written = dict(cursor.fetchall())
    kept = {pk: known for pk, known in _compiled.items() if written.get(pk) == known[0]}
    others = [pk for pk in written if pk not in kept]
    wanted = ("id", "matchers", "starts_at", "ends_at", "created_by", "comment")
    for silence in Silence.objects.filter(pk__in=others).only(*wanted):
        kept[silence.pk] = (written[silence.pk], _read(silence))
    _compiled = kept
    return [silence for _, silence in kept.values()]


def _read(silence: Silence) -> CompiledSilence:
    return CompiledSilence(
        id=silence.pk,
        matchers=parse_matchers(silence.matchers),
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        created_by=silence.created_by,
        comment=silence.comment,
    )
