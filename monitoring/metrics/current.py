"""All series with their newest values, and what today brought: four queries for as many values as are wanted."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from monitoring.day import today
from monitoring.metrics import reading, rows
from monitoring.metrics.catalogue import CATALOGUE, Kind
from monitoring.metrics.cells import Cell, merge, quantile
from monitoring.metrics.models import Series
from monitoring.metrics.values import NEVER, Value, gauge, known, together, unknown


@dataclass(frozen=True, slots=True)
class Newest:
    """One series: `at`: when its newest value was reported, and when it was first seen."""

    id: int
    name: str
    client: str
    labels: Mapping[str, str]
    value: float
    first_at: datetime
    at: datetime


class Known:
    """What is known of these metrics at `now`."""

    def __init__(self, names: Iterable[str], *, now: datetime) -> None:
        self.now = now
        self.day = today(now)
        self.series: dict[str, list[Newest]] = {name: [] for name in names}
        fields = ("id", "name", "client", "labels", "value", "first_at", "at")
        for row in (
            Series.objects.filter(name__in=self.series).order_by("name", "client", "id").values_list(*fields)
        ):
            self.series[row[1]].append(Newest(*row))
        # When each client last said anything: a counter that does not move while its client speaks has an increase of 0.
        self.heard = reading.clients()
        self._today: dict[Kind, dict[int, Cell]] = {}

    def _all(self) -> Iterable[Newest]:
        return (row for found in self.series.values() for row in found)

    # Gauges

    def gauge(
        self, name: str, combine: Callable[[list[float]], float], *, every: bool | None = None
    ) -> Value:
        """The gauges of all clients and labels as one. Those without labels are needed of every client, unless `every` says otherwise."""
        parts = [
            gauge(row.value, row.at, labels={**row.labels, "client": row.client}, now=self.now)
            for row in self.series[name]
        ]
        needed = not CATALOGUE[name].labels if every is None else every
        return together(parts, combine, every=needed, since=self.day.start)

    # Today

    def count(self, name: str) -> Value:
        """The increase of a counter within today."""
        return self._of_today(name, lambda cell: cell.total if cell else 0.0)

    def mean(self, name: str) -> Value:
        """Of what a histogram observed today."""
        return self._of_today(name, lambda cell: cell.mean if cell else None)

    def quantile(self, name: str, share: float) -> Value:
        bounds = CATALOGUE[name].buckets
        return self._of_today(name, lambda cell: quantile(share, bounds, cell.buckets) if cell else None)

    def counts_by(self, name: str, *labels: str) -> list[tuple[dict[str, str], float]]:
        """The increases of today by these labels, the largest first; only what increased."""
        found: dict[tuple[str, ...], float] = {}
        cells = self.today(CATALOGUE[name].kind)
        for row in self.series[name]:
            if (cell := cells.get(row.id)) is not None:
                key = tuple(row.labels.get(label, "") for label in labels)
                found[key] = found.get(key, 0.0) + cell.total
        ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
        return [(dict(zip(labels, key, strict=True)), total) for key, total in ordered if total]

    def today(self, kind: Kind) -> dict[int, Cell]:
        """What today brought, by the series' id. One query for all metrics of a kind."""
        if kind not in self._today:
            # What has not been heard of since midnight has brought nothing.
            wanted = {
                row.id: row.id
                for row in self._all()
                if CATALOGUE[row.name].kind == kind and row.at >= self.day.start
            }
            found = rows.by_span(kind, wanted, [self.day])
            self._today[kind] = {group: cell for (group, _), cell in found.items()}
        return self._today[kind]

    def _of_today(self, name: str, number: Callable[[Cell | None], float | None]) -> Value:
        found = self.series[name]
        if not found:
            return unknown(NEVER)
        at = max(row.at for row in found)
        heard = max(self.heard[row.client] for row in found)
        cells = self.today(CATALOGUE[name].kind)
        value = number(merge(cells.get(row.id) for row in found))
        if heard < self.day.start:
            return Value(at=at, age_seconds=(self.now - at).total_seconds(), reason="not reported today")
        if value is None:
            return Value(
                at=at, age_seconds=(self.now - at).total_seconds(), reason="nothing was measured today"
            )
        return known(value, at, now=self.now)
