"""The value that a trigger looked at, around the moment of its alert: for the alert's page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from alerts.models import Alert
from killswitch.models import Activation
from monitoring.breakers import alert_card
from monitoring.day import Span
from monitoring.metrics import reading
from monitoring.metrics.catalogue import CATALOGUE
from monitoring.metrics.cells import Cell, merge
from monitoring.metrics.charts import RANGES
from monitoring.metrics.curves import Curve, Sign, together
from monitoring.metrics.panels import PAGES
from monitoring.metrics.values import STALE
from monitoring.triggers.alarms import SOURCE
from monitoring.triggers.choices import INCREASES, Aggregate
from monitoring.triggers.models import Trigger
from monitoring.triggers.readings import start_of
from monitoring.triggers.values import BREAKERS

AROUND = timedelta(minutes=30)
STEP = timedelta(minutes=1)
COMBINE: dict[str, Callable[[list[float]], float]] = {Aggregate.LARGEST: max, Aggregate.SMALLEST: min}
Number = Callable[[Cell], float | None]
LAST, LOW, HIGH = attrgetter("last"), attrgetter("low"), attrgetter("high")


@dataclass(frozen=True, slots=True)
class About:
    """What an alert is about. `threshold`: as it was then."""

    trigger: Trigger
    threshold: float


def drawn(alert: Alert, now: datetime) -> SafeString:
    """A card for an alert that a trigger raised, or for the stop that one caused; empty for all others."""
    about = _about(alert)
    if about is None:
        return mark_safe("")
    trigger = about.trigger
    if trigger.metric == BREAKERS:
        return alert_card.card(trigger.labels.get("name", ""), now=now)
    context = {
        "trigger": trigger,
        "curve": curve_of(about, alert.starts_at, now=now),
        "page": _page_of(trigger.metric, now - alert.starts_at + AROUND),
    }
    return render_to_string("metrics/alert_curve.html", context)


def curve_of(about: About, raised: datetime, *, now: datetime) -> Curve:
    """From 30 minutes before it was raised until 30 minutes after it, or now."""
    trigger = about.trigger
    start = _minute(raised - AROUND)
    count = (min(raised + AROUND, now) - start) // STEP + 1
    times = [start + STEP * number for number in range(count)]
    unit = "percent" if trigger.percent_of else CATALOGUE[trigger.metric].unit
    rises = trigger.aggregate in INCREASES
    return Curve(
        _name_of(trigger),
        unit,
        times,
        STEP,
        _increases(trigger, times) if rises else _gauges(trigger, times, LAST),
        now,
        # Whatever tripped it within a minute: what was so at the end of it may be harmless again.
        lows=() if rises else _gauges(trigger, times, LOW),
        highs=() if rises else _gauges(trigger, times, HIGH),
        limit=about.threshold,
        signs=[Sign("raised", "Raised", raised)],
    )


def _about(alert: Alert) -> About | None:
    name, threshold = "", None
    if alert.source == SOURCE:
        name, threshold = alert.labels.get("trigger", ""), alert.details.get("threshold")
    elif isinstance(number := alert.details.get("activation"), int):
        stop = Activation.objects.filter(pk=number).values_list("metadata", flat=True).first() or {}
        name, threshold = stop.get("trigger", ""), stop.get("threshold")
    trigger = Trigger.objects.filter(name=name).first() if name else None
    if trigger is None or trigger.metric not in {*CATALOGUE, BREAKERS}:
        return None
    return About(trigger, trigger.threshold if threshold is None else threshold)


def _name_of(trigger: Trigger) -> str:
    return f"{trigger.metric} in percent of {trigger.percent_of}" if trigger.percent_of else trigger.metric


def _gauges(trigger: Trigger, times: Sequence[datetime], number: Number) -> list[float | None]:
    """What the trigger would have read in each minute."""
    combine = COMBINE.get(trigger.aggregate, sum)
    found = _combined(trigger.metric, _labels(trigger), times, combine, number)
    if not trigger.percent_of:
        return found
    whole = _combined(trigger.percent_of, _client(trigger), times, sum, LAST)
    return [
        100 * value / of if value is not None and of is not None and of > 0 else None
        for value, of in zip(found, whole, strict=True)
    ]


def _combined(
    metric: str,
    labels: dict[str, str],
    times: Sequence[datetime],
    combine: Callable[[list[float]], float],
    number: Number,
) -> list[float | None]:
    chart = reading.series(metric, labels, times[0] - STALE, times[-1] + STEP, STEP)
    found = together(chart.lines, combine, step=STEP, every=combine is sum, number=number)
    return found[-len(times) :] if found else [None] * len(times)


def _increases(trigger: Trigger, times: Sequence[datetime]) -> list[float | None]:
    spans = [Span(start_of(trigger, at), at + STEP) for at in times]
    lines = reading.totals(trigger.metric, spans, _labels(trigger), by=[])
    cells = [merge(line.cells[number] for line in lines) for number in range(len(spans))]
    # A counter that stands still has an increase of 0; one that never was has none.
    return [(cell.total if cell else 0.0) if lines else None for cell in cells]


def _labels(trigger: Trigger) -> dict[str, str]:
    return {**trigger.labels, **_client(trigger)}


def _client(trigger: Trigger) -> dict[str, str]:
    return {"client": trigger.client} if trigger.client else {}


def _page_of(metric: str, age: timedelta) -> str:
    """The panel of this metric, in the shortest range that reaches back so far."""
    chosen = next((found.name for found in RANGES.values() if found.length >= age), list(RANGES)[-1])
    for page in PAGES.values():
        for panel in page.panels:
            if any(query.name == metric for query in panel.queries):
                return f"{reverse(f'metrics-{page.name}')}?range={chosen}#panel-{panel.key}"
    return f"{reverse('metrics-trading')}?range={chosen}"


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
