"""Whether a pushed series fits the catalogue, and what it adds."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from msgspec import UNSET

from monitoring.metrics.batches import UNPRINTABLE, PushedHistogram, PushedSeries, shown
from monitoring.metrics.catalogue import CATALOGUE, Kind, Metric, Source

LONGEST_LABEL = 100
# Larger than anything that is measured, and far below what sums can hold.
LARGEST = 1e18
MOST_COUNTED = 10**12
PUSHABLE = {name: metric for name, metric in CATALOGUE.items() if metric.source is Source.CLIENT}
FIELDS = {Kind.COUNTER: "inc", Kind.GAUGE: "set", Kind.HISTOGRAM: "histogram"}


class Ident(NamedTuple):
    """Which series of a client: the metric, and the values of its labels in the catalogue's order."""

    name: str
    values: tuple[str, ...]


@dataclass(slots=True)
class Change:
    """What a batch brings for one series, as `monitoring.metrics.models.Row` counts."""

    total: float = 0.0
    count: int = 0
    low: float | None = None
    high: float | None = None
    last: float | None = None
    buckets: list[int] | None = None

    def add(self, later: "Change") -> None:
        """The same series once more."""
        self.total += later.total
        self.count += later.count
        if later.low is not None and later.high is not None:
            self.low = later.low if self.low is None else min(self.low, later.low)
            self.high = later.high if self.high is None else max(self.high, later.high)
            self.last = later.last
        if later.buckets is not None:
            self.buckets = [
                mine + more
                for mine, more in zip(self.buckets or [0] * len(later.buckets), later.buckets, strict=True)
            ]


def metric_of(pushed: PushedSeries) -> Metric:
    """Raises ValueError."""
    metric = PUSHABLE.get(pushed.name)
    if metric is not None:
        return metric
    if pushed.name in CATALOGUE:
        raise ValueError(f"name: the console itself keeps {pushed.name}; it cannot be pushed")
    raise ValueError(f"name: there is no metric {shown(pushed.name)!r}")


def ident_of(pushed: PushedSeries, metric: Metric) -> Ident:
    """Raises ValueError for missing and unknown labels; their values are another matter (`check_values()`)."""
    labels = pushed.labels
    try:
        values = tuple([labels[name] for name in metric.labels])
    except KeyError:
        missing = [name for name in metric.labels if name not in labels]
        raise ValueError(f"labels: {', '.join(missing)} missing; {_wanted(metric)}") from None
    if len(labels) > len(values):
        extra = [shown(name) for name in sorted(labels) if name not in metric.labels]
        raise ValueError(f"labels: {', '.join(extra)[:300]} not known; {_wanted(metric)}")
    return Ident(metric.name, values)


def check_values(ident: Ident, metric: Metric) -> None:
    """Raises ValueError for a label's value that is not allowed."""
    for name, value in zip(metric.labels, ident.values, strict=True):
        if not value:
            raise ValueError(f"labels.{name}: must not be empty")
        if len(value) > LONGEST_LABEL:
            raise ValueError(f"labels.{name}: may have {LONGEST_LABEL} characters, not {len(value)}")
        if UNPRINTABLE.search(value):
            raise ValueError(f"labels.{name}: must not have control characters")
        choices = metric.choices.get(name)
        if choices is not None and value not in choices:
            raise ValueError(f"labels.{name}: must be one of {', '.join(choices)}, not {value!r}")


def change_of(pushed: PushedSeries, metric: Metric) -> Change:
    """Raises ValueError."""
    _check_kind(pushed, metric)
    if pushed.inc is not UNSET:
        if _number("inc", pushed.inc) < 0:
            raise ValueError("inc: must not be negative; a counter only grows")
        return Change(total=pushed.inc)
    if pushed.set is not UNSET:
        value = _number("set", pushed.set)
        return Change(value, 1, value, value, value)
    assert pushed.histogram is not UNSET  # noqa: S101  one of the three is set, as checked above
    return _observed(pushed.histogram, metric)


def _check_kind(pushed: PushedSeries, metric: Metric) -> None:
    right = FIELDS[metric.kind]
    given = [field for field in FIELDS.values() if getattr(pushed, field) is not UNSET]
    if given == [right]:
        return
    if not given:
        raise ValueError(f"{right}: missing; {metric.name} is a {metric.kind}")
    if len(given) > 1:
        raise ValueError(f"{', '.join(given)}: only one may be given; {metric.name} takes {right}")
    raise ValueError(f"{given[0]}: {metric.name} is a {metric.kind} and takes {right}")


def _observed(histogram: PushedHistogram, metric: Metric) -> Change:
    total = _number("histogram.sum", histogram.sum)
    length = len(metric.buckets) + 1
    if len(histogram.buckets) != length:
        raise ValueError(
            f"histogram.buckets: {metric.name} has {length} (the last above every bound), not {len(histogram.buckets)}"
        )
    for number in (histogram.count, *histogram.buckets):
        if not 0 <= number <= MOST_COUNTED:
            raise ValueError(f"histogram: counts must be from 0 to {MOST_COUNTED}")
    if sum(histogram.buckets) != histogram.count:
        raise ValueError(
            f"histogram.buckets: sum to {sum(histogram.buckets)}, not to the count, {histogram.count}"
        )
    return Change(total=total, count=histogram.count, buckets=histogram.buckets)


def _number(field: str, value: float) -> float:
    if math.isnan(value):
        raise ValueError(f"{field}: must be a number, not NaN")
    if math.isinf(value):
        raise ValueError(f"{field}: must be finite")
    if not -LARGEST <= value <= LARGEST:
        raise ValueError(f"{field}: must be between -{LARGEST:g} and {LARGEST:g}")
    return value


def _wanted(metric: Metric) -> str:
    return (
        f"{metric.name} has the labels {', '.join(metric.labels)}"
        if metric.labels
        else f"{metric.name} has none"
    )
