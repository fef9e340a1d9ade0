"""What became of series within one step, as cells that can be put together. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Cell:
    """See `monitoring.metrics.models.Row`, whose fields these are."""

    total: float
    count: int
    low: float | None = None
    high: float | None = None
    last: float | None = None
    buckets: tuple[int, ...] = ()

    @property
    def mean(self) -> float | None:
        return self.total / self.count if self.count else None


def merge(cells: Iterable[Cell | None]) -> Cell | None:
    """One cell for all of them, in the order of time; None for a gap, and where there are only gaps."""
    found = [cell for cell in cells if cell is not None]
    if not found:
        return None
    return Cell(
        total=sum(cell.total for cell in found),
        count=sum(cell.count for cell in found),
        low=min((cell.low for cell in found if cell.low is not None), default=None),
        high=max((cell.high for cell in found if cell.high is not None), default=None),
        last=next((cell.last for cell in reversed(found) if cell.last is not None), None),
        buckets=_added(cell.buckets for cell in found),
    )


def _added(rows: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    filled = [row for row in rows if row]
    return tuple(sum(column) for column in zip(*filled, strict=True)) if filled else ()


def quantile(share: float, bounds: Sequence[float], buckets: Sequence[int]) -> float | None:
    """An estimate from a histogram's buckets, by Prometheus' rule: linear within the bucket. None without observations.

    `bounds`: upper bounds, ascending, without +Inf; `buckets`: counts of each by itself, one more than bounds. What lies above every bound is
    taken for the highest one; the lowest bucket begins at 0, or, if its bound is not above 0, has no width.
    """
    count = sum(buckets)
    if not count:
        return None
    rank, below = share * count, 0
    for index, (bound, inside) in enumerate(zip(bounds, buckets, strict=False)):
        if inside and below + inside >= rank:
            if index == 0 and bound <= 0:
                return bound
            start = bounds[index - 1] if index else 0.0
            return start + (bound - start) * (rank - below) / inside
        below += inside
    return bounds[-1]
