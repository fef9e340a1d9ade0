"""`/metrics`: every metric of the catalogue with every series of every client, rendered from the database's totals.

What does not change of a series (name and labels) is rendered once in a process and kept, so that a scrape of ten thousand series is one
query and one text a value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.db import connection

from monitoring.metrics import text
from monitoring.metrics.catalogue import CATALOGUE, Kind, Metric, Source
from monitoring.metrics.models import Series
from monitoring.metrics.sources import OwnMetric, Sample, own_metrics, read_sources

# `key` stands for name, client and labels, so what was rendered for it stays right as long as the process lives.
_ROWS = """
SELECT key::text, value, count, buckets FROM monitoring_series WHERE shown_until IS NULL OR shown_until > %s ORDER BY id
"""
# Renderings of series that are gone are dropped when there are so many times more of them than rows.
_SPARE = 2

Row = tuple[str, float, int, Sequence[int] | None]


@dataclass(frozen=True, slots=True)
class Histogram:
    """The beginnings of a histogram's lines: one for each bucket, then those of the sum and of the count."""

    buckets: tuple[str, ...]
    sum: str
    count: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """Of one series: its metric, and its line up to the value. None: a metric that the catalogue no longer has."""

    name: str
    line: str | Histogram | None


class Renderings:
    """What is kept of each series. Threads may render the same series at the same time: both make the same."""

    def __init__(self) -> None:
        self._known: dict[str, Rendered] = {}

    def of(self, rows: Sequence[Row]) -> dict[str, Rendered]:
        """By key, all of `rows`."""
        known = self._known
        if missing := [row[0] for row in rows if row[0] not in known]:
            if len(known) > _SPARE * len(rows) + len(missing):
                known = self._known = {}
                missing = [row[0] for row in rows]
            found = Series.objects.filter(key__in=missing).values_list("key", "name", "client", "labels")
            known.update({str(key): _rendered(name, client, labels) for key, name, client, labels in found})
        return known


_renderings = Renderings()


def expose(*, now: datetime, openmetrics: bool = False) -> str:
    """All metrics of the catalogue and of the console, without those of the web processes and without an end mark."""
    lines = _series_lines(now)
    own = {metric.name: metric for metric in own_metrics()}
    for sample in read_sources(now=now):
        _add_sample(lines, sample, own)
    parts: list[str] = []
    described: list[Metric | OwnMetric] = [*CATALOGUE.values(), *own.values()]
    for metric in described:
        parts.append(text.head(metric.name, metric.kind, metric.help, openmetrics=openmetrics))
        parts += lines.get(metric.name, ())
    return "".join(parts)


def _series_lines(now: datetime) -> dict[str, list[str]]:
    """The lines of all series, by metric."""
    rows = _read(now)
    renderings = _renderings.of(rows)
    lines: dict[str, list[str]] = {name: [] for name in CATALOGUE}
    number = text.number
    for key, value, count, buckets in rows:
        rendered = renderings.get(key)
        # Deleted between the two queries, or of a metric that is no more.
        if rendered is None or (line := rendered.line) is None:
            continue
        if isinstance(line, str):
            lines[rendered.name].append(f"{line}{number(value)}\n")
        else:
            _add_histogram(lines[rendered.name], line, value, count, buckets or ())
    return lines


def _add_histogram(
    lines: list[str], histogram: Histogram, total: float, count: int, buckets: Sequence[int]
) -> None:
    # `zip` ends with the shorter one: buckets that the catalogue changed since are not made up.
    lines.append(
        "".join(
            [
                f"{line}{below}.0\n"
                for line, below in zip(histogram.buckets, accumulate(buckets), strict=False)
            ]
        )
        + f"{histogram.count}{count}.0\n{histogram.sum}{text.number(total)}\n"
    )


def _read(now: datetime) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [now])
        rows: list[Row] = cursor.fetchall()
    return rows


def _rendered(name: str, client: str, labels: dict[str, Any]) -> Rendered:
    metric = CATALOGUE.get(name)
    # What the console itself knows is read anew instead.
    if metric is None or metric.source is Source.CONSOLE:
        return Rendered(name, None)
    pairs = [(label, str(labels.get(label, ""))) for label in metric.labels]
    return Rendered(name, _lines_of(metric, text.label_set([*pairs, ("client", client)])))


def _lines_of(metric: Metric, labels: str) -> str | Histogram:
    if metric.kind is not Kind.HISTOGRAM:
        return f"{metric.name}{{{labels}}} "
    return Histogram(
        buckets=tuple(f"{metric.name}_bucket{{{labels},{le}}} " for le in text.bucket_labels(metric.buckets)),
        sum=f"{metric.name}_sum{{{labels}}} ",
        count=f"{metric.name}_count{{{labels}}} ",
    )


def _add_sample(lines: dict[str, list[str]], sample: Sample, own: dict[str, OwnMetric]) -> None:
    """A sample of an unknown name would be a line without a type: RuntimeError."""
    if sample.name not in CATALOGUE and sample.name not in own:
        raise RuntimeError(f"{sample.name} is neither in the catalogue nor registered with its source")
    labels = text.label_set(sample.label_pairs())
    name = f"{sample.name}{{{labels}}}" if labels else sample.name
    lines.setdefault(sample.name, []).append(f"{name} {text.number(sample.value)}\n")
