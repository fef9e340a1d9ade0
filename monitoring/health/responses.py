"""How long a component took to answer over the last day, as the sampler has kept it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from monitoring.day import Span
from monitoring.health.metrics import DURATION
from monitoring.metrics import rows
from monitoring.metrics.catalogue import CATALOGUE
from monitoring.metrics.cells import Cell
from monitoring.metrics.curves import Curve, Sign
from monitoring.metrics.models import Series
from monitoring.metrics.rows import EPOCH

LENGTH = timedelta(hours=24)
# Of the small curves in lists, and of the one of a component's page.
COARSE, FINE = timedelta(minutes=30), timedelta(minutes=5)
UNIT = "milliseconds"
# A limit that is further above than this would press the curve flat; words say it then.
NEAR = 5.0


def small(slugs: Iterable[str], *, now: datetime) -> dict[str, Curve]:
    """The highest of each half hour, by slug; of those alone that have any. Two queries."""
    step = COARSE
    found = _cells(list(slugs), step, now)
    return {
        slug: Curve("Response time", UNIT, _times(step, now), step, _numbers(cells, "high"), now, zero=True)
        for slug, cells in found.items()
    }


def large(slug: str, *, limit_ms: float | None, signs: Sequence[Sign] = (), now: datetime) -> Curve | None:
    """By five minutes, with the lowest and the highest of each. None: nothing is kept of the last day. Two queries."""
    cells = _cells([slug], FINE, now).get(slug)
    if cells is None:
        return None
    highs = _numbers(cells, "high")
    highest = max((value for value in highs if value is not None), default=0.0)
    return Curve(
        "Response time",
        UNIT,
        _times(FINE, now),
        FINE,
        _numbers(cells, "last"),
        now,
        limit=limit_ms if limit_ms is not None and limit_ms <= NEAR * highest else None,
        limit_name="Degraded from",
        lows=_numbers(cells, "low"),
        highs=highs,
        signs=signs,
        zero=True,
    )


def _cells(slugs: Sequence[str], step: timedelta, now: datetime) -> dict[str, list[Cell | None]]:
    """A cell, or None for a gap, for each step of the last day."""
    series = Series.objects.filter(name=DURATION, labels__component__in=slugs)
    groups = {pk: slugs.index(slug) for pk, slug in series.values_list("pk", "labels__component")}
    if not groups:
        return {}
    times = _times(step, now)
    found = rows.by_step(CATALOGUE[DURATION].kind, groups, Span(times[0], times[-1] + step), step=step)
    lines = {
        slugs[group]: [found.get((group, slot)) for slot in range(len(times))] for group in groups.values()
    }
    return {slug: cells for slug, cells in lines.items() if any(cells)}


def _times(step: timedelta, now: datetime) -> list[datetime]:
    """The last one is under way."""
    end = EPOCH - (EPOCH - now) // step * step
    return [end - step * back for back in range(LENGTH // step, 0, -1)]


def _numbers(cells: Sequence[Cell | None], field: str) -> list[float | None]:
    """In milliseconds."""
    found = [None if cell is None else getattr(cell, field) for cell in cells]
    return [None if value is None else 1000 * value for value in found]
