"""The overview's Today: what the desk has made and spent since the trading day began, each value with its limit and its age."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import OuterRef, Subquery

from monitoring.metrics import reading
from monitoring.metrics.catalogue import CATALOGUE
from monitoring.metrics.charts import Grid
from monitoring.metrics.current import Known
from monitoring.metrics.curves import Curve, Sign, together
from monitoring.metrics.headlines import NEAR
from monitoring.metrics.marks import marks
from monitoring.metrics.models import Minute, Series
from monitoring.metrics.units import shown
from monitoring.metrics.values import Value
from monitoring.triggers.choices import Act, Comparison
from monitoring.triggers.models import Trigger

PNL, VALUE = "portfolio_daily_pnl_usd", "portfolio_value_usd"
USED, DRAWDOWN = "portfolio_daily_loss_limit_used_pct", "portfolio_max_drawdown_pct"
COST = "ai_cost_usd_total"
NAMES = (PNL, VALUE, USED, DRAWDOWN, COST)
# Points of the chart, at most.
POINTS = 150


@dataclass(frozen=True, slots=True)
class Limit:
    """Of the day's P&L, in US dollars (below 0). `name`: the trigger's."""

    usd: float
    name: str


@dataclass(frozen=True, slots=True)
class Used:
    """A value beside its limit. `text` is empty when it is unknown, `reason` says why. `percent`: of the limit; None: there is none."""

    name: str
    text: str = ""
    limit: str = ""
    reason: str = ""
    at: datetime | None = None
    percent: float | None = None

    @property
    def tone(self) -> str:
        if self.percent is None or self.percent < NEAR:
            return ""
        return "oc-bad" if self.percent >= 100 else "oc-warn"

    @property
    def word(self) -> str:
        return {"oc-bad": "over the limit", "oc-warn": "near the limit"}.get(self.tone, "")

    @property
    def meter(self) -> str:
        return f"{min(100.0, max(0.0, self.percent or 0)):.1f}"


@dataclass(frozen=True, slots=True)
class Today:
    """`curve` None: no P&L was reported since the trading day began."""

    now: datetime
    pnl: Value
    value: Value
    used: Sequence[Used]
    curve: Curve | None

    @property
    def pnl_text(self) -> str:
        return shown(self.pnl.value, "usd")

    @property
    def pnl_was(self) -> str:
        return shown(self.pnl.last_value, "usd")

    @property
    def value_was(self) -> str:
        return shown(self.value.last_value, "usd")

    @property
    def value_text(self) -> str:
        return shown(self.value.value, "usd")

    @property
    def worst(self) -> str:
        """The header's answer."""
        over = [one for one in self.used if one.tone == "oc-bad"]
        near = [one for one in self.used if one.tone == "oc-warn"]
        if over or near:
            return f"{(over or near)[0].name}: {(over or near)[0].word}"
        missing = sum(not one.text for one in self.used) + (self.pnl.value is None)
        return f"{missing} of {len(self.used) + 1} unknown" if missing else "within its limits"

    @property
    def tone(self) -> str:
        tones = {one.tone for one in self.used}
        return "oc-bad" if "oc-bad" in tones else "oc-sum-warn" if "oc-warn" in tones else ""


def read(*, now: datetime) -> Today:
    """About ten queries, whatever there is."""
    found = Known(NAMES, now=now)
    pnl, value = found.gauge(PNL, sum), found.gauge(VALUE, sum)
    triggers = list(Trigger.objects.filter(enabled=True, client="", metric__in=(PNL, DRAWDOWN)))
    limit = _loss_limit(triggers, value)
    return Today(
        now,
        pnl,
        value,
        (
            _loss(pnl, limit, found.gauge(USED, max)),
            _cost(found.count(COST)),
            _drawdown(found.gauge(DRAWDOWN, max), triggers),
        ),
        _curve(found, limit),
    )


def _loss_limit(triggers: Sequence[Trigger], value: Value) -> Limit | None:
    """The nearest of those that are enabled; those that stop come before those that alert."""
    found = []
    for trigger in triggers:
        if trigger.metric != PNL or trigger.comparison != Comparison.BELOW or trigger.threshold >= 0:
            continue
        if not trigger.percent_of:
            found.append((trigger, trigger.threshold))
        elif trigger.percent_of == VALUE and value.value is not None and value.value > 0:
            found.append((trigger, trigger.threshold / 100 * value.value))
    stopping = [pair for pair in found if pair[0].action == Act.STOP] or found
    if not stopping:
        return None
    trigger, usd = max(stopping, key=lambda pair: pair[1])
    return Limit(usd, trigger.name)


def _loss(pnl: Value, limit: Limit | None, reported: Value) -> Used:
    name = "Daily loss limit"
    if limit is None:
        # What the processes say of their own limits.
        return _used(name, reported, "percent", reported.value, "the processes’ own limits")
    if pnl.value is None:
        return Used(name, reason=f"P&L is {pnl.reason}" if pnl.at else f"P&L was {pnl.reason}")
    percent = max(0.0, 100 * pnl.value / limit.usd)
    return _used(name, pnl.of(percent), "percent", percent, shown(-limit.usd, "usd"))


def _cost(cost: Value) -> Used:
    budget = settings.AI_DAILY_BUDGET_USD
    percent = None if cost.value is None else 100 * cost.value / budget
    return _used("AI cost", cost, "usd", percent, shown(budget, "usd"))


def _drawdown(value: Value, triggers: Sequence[Trigger]) -> Used:
    limits = [
        trigger.threshold
        for trigger in triggers
        if trigger.metric == DRAWDOWN
        and trigger.comparison == Comparison.ABOVE
        and not trigger.percent_of
        and trigger.threshold > 0
    ]
    if value.value is None or not limits:
        return _used("Drawdown", value, "percent", None, "")
    return _used("Drawdown", value, "percent", 100 * value.value / min(limits), f"{min(limits):g}% allowed")


def _used(name: str, value: Value, unit: str, percent: float | None, limit: str) -> Used:
    if value.value is None:
        was = f", was {shown(value.last_value, unit)}" if value.last_value is not None else ""
        return Used(name, reason=f"{value.reason}{was}")
    return Used(
        name,
        shown(value.value, unit),
        f"of {limit}" if limit else "no limit is set",
        at=value.at,
        percent=percent,
    )


def _curve(found: Known, limit: Limit | None) -> Curve | None:
    """P&L of the day, added over the processes, from the first report on. None: there was none."""
    newest = Minute.objects.filter(series_id=OuterRef("pk"), at__gte=found.day.start).order_by("at")
    firsts = (
        Series.objects.filter(name=PNL, at__gte=found.day.start)
        .annotate(first=Subquery(newest.values("at")[:1]))
        .values_list("first", flat=True)
    )
    first = min((at for at in firsts if at is not None), default=None)
    if first is None or first > found.now:
        return None
    step = _step(found.now - first)
    chart = reading.series(PNL, {}, first, found.now + timedelta(microseconds=1), step)
    return Curve(
        "P&L today",
        CATALOGUE[PNL].unit,
        chart.times,
        step,
        together(chart.lines, sum, step=step, every=True),
        found.now,
        lows=together(chart.lines, sum, step=step, every=True, number=lambda cell: cell.low),
        highs=together(chart.lines, sum, step=step, every=True, number=lambda cell: cell.high),
        limit=limit.usd if limit else None,
        signs=_signs(Grid(chart.start, chart.end, step, found.now)),
        zero=True,
    )


def _step(length: timedelta) -> timedelta:
    return next((step for step in reading.STEPS if length / step <= POINTS), reading.STEPS[-1])


def _signs(steps: Grid) -> list[Sign]:
    """Stops as stretches, drills as moments."""
    return [
        Sign(
            mark.kind,
            "Stop" if mark.kind == "stop" else "Drill",
            mark.start,
            mark.end if mark.kind == "stop" else None,
            lasts=mark.kind == "stop",
        )
        for mark in marks(steps)
        if mark.kind in {"stop", "drill"}
    ]
