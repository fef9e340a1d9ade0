"""The console's own gauges, kept beside those of trading processes, so that its pages have their past: the host, the projected cost, and health."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from monitoring.metrics.catalogue import CATALOGUE, Source
from monitoring.metrics.checking import Ident
from monitoring.metrics.host import read_host
from monitoring.metrics.ingest import keep_own
from monitoring.metrics.own import read_projection
from monitoring.metrics.sources import Sample

# Between two samples, whoever takes them.
EVERY = timedelta(seconds=15)
Read = Callable[[datetime], Iterable[Sample]]

_sources: list[Read] = [read_host, read_projection]


def register_sampled(read: Read) -> None:
    """Keep the gauges of the catalogue that `read` yields, too. Called once for each, from the app's `ready()`."""
    _sources.append(read)


def sample(*, now: datetime) -> int:
    """Keep what they say now. Returns how many values; 0 when another process was there first, within these EVERY seconds."""
    values: dict[Ident, float] = {}
    for read in _sources:
        for one in read(now):
            metric = CATALOGUE[one.name]
            assert metric.source is Source.CONSOLE  # noqa: S101  these sources yield nothing else
            values[Ident(one.name, tuple(one.labels[label] for label in metric.labels))] = one.value
    return keep_own(values, slot=f"own-{int(now.timestamp() // EVERY.total_seconds())}", now=now)
