"""Questions that charts and summaries ask of the rows of minutes, five minutes and hours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max

from monitoring.day import Span
from monitoring.metrics import rows
from monitoring.metrics.catalogue import CATALOGUE, Kind, Metric
from monitoring.metrics.cells import Cell
from monitoring.metrics.models import Series
from monitoring.metrics.rows import EPOCH, MINUTE, width_of

MOST_POINTS = 2000
MOST_SERIES = 200
# Rows that one answer may have to read.
MOST_ROWS = 3_000_000
STEPS = tuple(
    timedelta(minutes=number) for number in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 10080)
)
# Points of a chart that names no step, at most.
CHART_POINTS = 300

Labels = Mapping[str, str]


class Refused(ValueError):
    """The question cannot be answered. `field`: which part of it; `problem`: what is allowed."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem = field, problem


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: a cell, or None for a gap, for each step."""

    labels: dict[str, str]
    cells: list[Cell | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """`start` and `end` lie on multiples of `step`; `times`: the beginning of each step."""

    metric: Metric
    start: datetime
    end: datetime
    step: timedelta
    lines: list[Line]

    @property
    def times(self) -> list[datetime]:
        return [self.start + self.step * number for number in range(_points(self.start, self.end, self.step))]


def step_for(length: timedelta) -> timedelta:
    """The shortest usual step that gives at most CHART_POINTS points."""
    return next((step for step in STEPS if length / step <= CHART_POINTS), STEPS[-1])


def series(
    name: str,
    labels: Labels,
    start: datetime,
    end: datetime,
    step: timedelta,
    *,
    by: Sequence[str] | None = None,
) -> Chart:
    """Cells by steps, of the series that have these labels. Steps lie on multiples of `step` since 1970 in UTC; the range is widened to them.

    Counters and histograms are summed over clients, or over all labels but those of `by`; gauges stay apart by client. `labels` may name a
    client. Steps of whole hours, or of five minutes, read rows of that length as far as they go.
    Raises Refused, also for more than MOST_POINTS or MOST_SERIES.
    """
    metric = _metric(name)
    _check(metric, labels, by)
    start, end = _aligned(start, end, step)
    groups, shown = _groups(metric, labels, by)
    _check_size(len(groups), len(shown), end - start, width=width_of(step))
    found = rows.by_step(metric.kind, groups, Span(start, end), step=step)
    slots = range(_points(start, end, step))
    lines = [
        Line(dict(line), [found.get((group, slot)) for slot in slots]) for group, line in enumerate(shown)
    ]
    return Chart(metric, start, end, step, lines)


def highest(name: str, label: str, start: datetime, end: datetime, step: timedelta) -> Chart:
    """A gauge by one of its labels, whatever the others are: of each cell only `high` means something. At most MOST_SERIES lines are
    read, those with the largest newest values.
    """
    metric = _metric(name)
    start, end = _aligned(start, end, step)
    found: dict[str, list[int]] = {}
    for pk, labels in Series.objects.filter(name=name).order_by("-value", "pk").values_list("id", "labels"):
        found.setdefault(labels.get(label, ""), []).append(pk)
    kept = sorted(list(found)[:MOST_SERIES])
    groups = {pk: number for number, key in enumerate(kept) for pk in found[key]}
    _check_size(len(groups), len(kept), end - start, width=width_of(step))
    cells = rows.by_step(metric.kind, groups, Span(start, end), step=step)
    slots = range(_points(start, end, step))
    return Chart(
        metric,
        start,
        end,
        step,
        [
            Line({label: key}, [cells.get((number, slot)) for slot in slots])
            for number, key in enumerate(kept)
        ],
    )


def totals(
    name: str, spans: Sequence[Span], labels: Labels | None = None, *, by: Sequence[str] | None = None
) -> list[Line]:
    """One cell for each span: what the whole of it brought. None where nothing was reported."""
    metric = _metric(name)
    labels = labels or {}
    _check(metric, labels, by)
    groups, shown = _groups(metric, labels, by)
    found = rows.by_span(metric.kind, groups, spans)
    return [
        Line(dict(line), [found.get((group, number)) for number in range(len(spans))])
        for group, line in enumerate(shown)
    ]


def clients() -> dict[str, datetime]:
    """When each client last reported anything."""
    return dict(Series.objects.values_list("client").annotate(newest=Max("at")).order_by())


def _metric(name: str) -> Metric:
    metric = CATALOGUE.get(name)
    if metric is None:
        raise Refused("name", f"must be one of {', '.join(CATALOGUE)}")
    return metric


def _check(metric: Metric, labels: Labels, by: Sequence[str] | None) -> None:
    allowed = (*metric.labels, "client")
    for label in labels:
        if label not in allowed:
            raise Refused(
                f"labels.{label[:64]}", f"is no label of {metric.name}; it has {', '.join(allowed)}"
            )
    if by is None:
        return
    if metric.kind == Kind.GAUGE:
        raise Refused(
            "by", f"is for counters and histograms; {metric.name} is a gauge, which cannot be summed"
        )
    for label in by:
        if label not in allowed:
            raise Refused("by", f"must list labels of {metric.name}: {', '.join(allowed)}")


def _aligned(start: datetime, end: datetime, step: timedelta) -> tuple[datetime, datetime]:
    if step < MINUTE or step % MINUTE:
        raise Refused("step", "must be a whole number of minutes, at least 1")
    if start >= end:
        raise Refused("from", "must lie before to")
    try:
        start = EPOCH + (start - EPOCH) // step * step
        end = EPOCH - (EPOCH - end) // step * step
    except OverflowError:
        raise Refused("step", "is too long for these times") from None
    if (points := _points(start, end, step)) > MOST_POINTS:
        raise Refused("step", f"gives {points} points, at most {MOST_POINTS} are allowed: lengthen it")
    return start, end


def _points(start: datetime, end: datetime, step: timedelta) -> int:
    return (end - start) // step


def _groups(
    metric: Metric, labels: Labels, by: Sequence[str] | None
) -> tuple[dict[int, int], list[tuple[tuple[str, str], ...]]]:
    """Which series count towards which line, and the labels of the lines, in order."""
    shown = (*metric.labels, "client") if metric.kind == Kind.GAUGE else metric.labels if by is None else by
    wanted = {label: value for label, value in labels.items() if label != "client"}
    found = Series.objects.filter(name=metric.name)
    if wanted:
        found = found.filter(labels__contains=wanted)
    if "client" in labels:
        found = found.filter(client=labels["client"])
    keys = {
        pk: tuple((label, client if label == "client" else own.get(label, "")) for label in shown)
        for pk, client, own in found.values_list("id", "client", "labels")
    }
    order = {key: number for number, key in enumerate(sorted(set(keys.values())))}
    return {pk: order[key] for pk, key in keys.items()}, list(order)


def _check_size(series_count: int, lines: int, length: timedelta, *, width: timedelta) -> None:
    if lines > MOST_SERIES:
        raise Refused("labels", f"match {lines} series, at most {MOST_SERIES} are allowed: name more labels")
    if (most := series_count * (length // width)) > MOST_ROWS:
        raise Refused(
            "from",
            f"would read {most} rows, at most {MOST_ROWS} are allowed: shorten the range, or use steps of an hour",
        )
