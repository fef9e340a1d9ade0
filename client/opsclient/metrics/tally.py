"""What was recorded since the last flush: a few dictionaries that the flusher takes away whole."""

import threading
from bisect import bisect_left
from dataclasses import dataclass, field

from opsclient.metrics.series import Series


@dataclass(slots=True)
class Pending:
    """Counters: sums. Gauges: the newest value. Histograms: the sum, then how many in each bucket by itself. Look-ups: hits, misses."""

    counters: dict[Series, float] = field(default_factory=dict)
    gauges: dict[Series, float] = field(default_factory=dict)
    histograms: dict[Series, list[float]] = field(default_factory=dict)
    lookups: dict[Series, list[float]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.counters or self.gauges or self.histograms or self.lookups)

    # The following are called with the tally's lock held. Nothing is called between reading a sum and writing it, so that no
    # signal handler that records something too comes between.

    def inc(self, series: Series, value: float) -> None:
        """Add to a counter."""
        counters = self.counters
        if series in counters:
            counters[series] += value
        else:
            counters[series] = value

    def observe(self, series: Series, value: float, bucket: int) -> None:
        """Count one observation, in the bucket that `bucket_of` has found."""
        cell = self.histograms.get(series)
        if cell is None:
            cell = self.histograms.setdefault(series, [0] * (len(series.metric.buckets) + 2))
        cell[0] += value
        cell[bucket + 1] += 1

    def look_up(self, series: Series, hits: float, misses: float) -> None:
        """Count look-ups in a cache."""
        cell = self.lookups.setdefault(series, [0, 0])
        cell[0] += hits
        cell[1] += misses


class Tally:
    """The lock is held for a few steps of a recording, or for the exchange of one object; never for anything that waits.

    It may be taken again by the thread that holds it: a signal handler may record something too. `generation` counts the flushes.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.pending = Pending()
        self.generation = 1

    def take(self) -> tuple[int, Pending]:
        """What was recorded since the last call, and the number of its flush."""
        fresh = Pending()
        with self.lock:
            taken, self.pending = self.pending, fresh
            generation = self.generation
            self.generation += 1
        return generation, taken


def bucket_of(series: Series, value: float) -> int:
    """The index of the bucket in which this value falls: that of the smallest bound that it does not exceed."""
    return bisect_left(series.metric.buckets, value)
