"""What AI services cost this month, and what the whole of it will come to."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Min

from monitoring.day import Span, days_of_month, span_of, trading_date
from monitoring.metrics import reading
from monitoring.metrics.cells import merge
from monitoring.metrics.models import Series
from monitoring.metrics.values import NEVER, ago

COST = "ai_cost_usd_total"
DAY = timedelta(days=1)
# Days of which the mean is taken, and what is needed when there is no full day yet.
MEAN_DAYS = 7
LEAST = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Month:
    """US dollars. `so_far` and `projected` are None when they are not known; `reason` says why."""

    so_far: float | None = None
    daily_mean: float | None = None
    projected: float | None = None
    reason: str | None = None


def month(now: datetime) -> Month:
    """Cost so far, and for the time left the mean of the last 7 full days, or of what there is.

    A day without any report counts with 0: nothing was bought on it.
    """
    first = Series.objects.filter(name=COST).aggregate(first=Min("first_at"))["first"]
    if first is None:
        return Month(reason=NEVER)
    this_day = trading_date(now)
    month_days = days_of_month(this_day)
    full = _full_days(first, this_day)
    past = [day for day in month_days if day <= this_day]
    costs = _costs(sorted({*past, *full}), now)
    so_far = sum(costs[day] for day in past)
    if full:
        mean = sum(costs[day] for day in full) / len(full)
    elif now - first >= LEAST:
        mean = _cost_since(first, now) / ((now - first) / DAY)
    else:
        reason = f"only {ago(max(timedelta(), now - first))} of data, {ago(LEAST)} are needed"
        return Month(so_far=so_far, reason=reason)
    left = (span_of(month_days[-1]).end - now) / DAY
    return Month(so_far=so_far, daily_mean=mean, projected=so_far + mean * left)


def _full_days(first: datetime, this_day: date) -> list[date]:
    """The last days before today that lie wholly after the first report."""
    days = [this_day - timedelta(days=number) for number in range(1, MEAN_DAYS + 1)]
    return [day for day in days if span_of(day).start >= first]


def _costs(days: list[date], now: datetime) -> dict[date, float]:
    spans = [span_of(day) for day in days]
    found = _added([Span(span.start, max(span.start, min(span.end, now))) for span in spans])
    return dict(zip(days, found, strict=True))


def _cost_since(first: datetime, now: datetime) -> float:
    # The minute of the first report began before it.
    return _added([Span(first - timedelta(minutes=1), now)])[0]


def _added(spans: list[Span]) -> list[float]:
    lines = reading.totals(COST, spans, by=[])
    merged = [merge(line.cells[number] for line in lines) for number in range(len(spans))]
    return [cell.total if cell else 0.0 for cell in merged]
