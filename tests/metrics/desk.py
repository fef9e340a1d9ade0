"""A desk's worth of metrics: every metric of the catalogue, by the minute, from four processes."""

import random
import uuid
from datetime import datetime, timedelta

from django.db import connection

from monitoring.metrics.catalogue import CATALOGUE, Kind, Metric, Source
from monitoring.metrics.models import Series

CLIENTS = ("AAPL", "GOOG", "IBM", "MSFT")
VALUES = {
    "side": ("BUY", "SELL"), "status": ("FILLED",), "signal": ("BUY", "SELL", "HOLD"), "provider": ("anthropic",),
    "model": ("claude-opus-4", "claude-haiku-4"), "kind": ("input", "output", "cached"), "cache_type": ("redis", "memory"),
    "method": ("GET",), "endpoint": ("/prices", "/orders"), "name": ("yahoo_finance", "claude"), "component": ("redis",), "risk_type": ("market",),
    "to": ("OPEN",), "reason": ("MANUAL",),
}  # fmt: skip
# About what a gauge says, and how far it strays.
GAUGES = {
    "portfolio_value_usd": (1_000_000, 20_000), "portfolio_daily_pnl_usd": (-800, 2_500), "portfolio_sharpe_ratio": (0.8, 0.4),
    "portfolio_max_drawdown_pct": (9, 1), "portfolio_position_concentration_pct": (25, 5), "ai_monthly_cost_usd": (140, 10),
    "cache_hit_rate": (93, 4), "circuit_breaker_state": (0, 0), "host_cpu_usage_pct": (23.5, 10), "host_memory_usage_pct": (58, 3),
    "host_disk_usage_pct": (45, 0.5), "risk_score": (42, 15), "portfolio_daily_loss_limit_used_pct": (62, 20),
}  # fmt: skip
ROWS = """
INSERT INTO monitoring_minute (series_id, at, total, count, low, high, last, buckets)
SELECT %(id)s, at, {total}, {count}, {low}, {high}, {last}, {buckets}
FROM generate_series(date_trunc('minute', %(now)s::timestamptz) - %(length)s::interval, %(now)s::timestamptz, '1 minute') AS at
WHERE at NOT BETWEEN %(now)s::timestamptz - interval '5 hours' AND %(now)s::timestamptz - interval '4 hours'
"""


def fill(now: datetime, *, length: timedelta = timedelta(hours=26)) -> None:
    """Rows up to `now`, but for an hour in which nobody reported anything."""
    random.seed(7)
    for metric in CATALOGUE.values():
        clients = (
            ("console",) if metric.source == Source.CONSOLE or metric.name == "cache_hit_rate" else CLIENTS
        )
        for client in clients:
            for labels in _labels(metric, client):
                _one(metric, client, labels, now, length)


def _labels(metric: Metric, client: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = [{}]
    for label in metric.labels:
        values = (
            (client,)
            if label == "ticker"
            else ("200",)
            if metric.name.startswith("api") and label == "status"
            else VALUES[label]
        )
        found = [{**labels, label: value} for labels in found for value in values]
    return found


def _one(metric: Metric, client: str, labels: dict[str, str], now: datetime, length: timedelta) -> None:
    middle, stray = GAUGES.get(metric.name, (0, 0))
    row = Series.objects.create(
        key=uuid.uuid4(), name=metric.name, client=client, labels=labels, value=middle, first_at=now - length, at=now, received_at=now
    )  # fmt: skip
    parts = _parts(metric, middle, stray, random.random() * 6)
    with connection.cursor() as cursor:
        cursor.execute(ROWS.format(**parts), {"id": row.pk, "now": now, "length": str(length)})


def _parts(metric: Metric, middle: float, stray: float, phase: float) -> dict[str, str]:
    wave = f"{middle} + {stray} * sin(extract(epoch FROM at) / 9000 + {phase}) + {stray} * 0.2 * (random() - 0.5)"
    none = {"low": "NULL", "high": "NULL", "last": "NULL", "buckets": "NULL"}
    if metric.kind == Kind.GAUGE:
        if metric.name == "circuit_breaker_state":
            wave = "CASE WHEN extract(epoch FROM at)::bigint %% 30000 < 1800 THEN 2 ELSE 0 END"
        return {"total": wave, "count": "1", "low": wave, "high": wave, "last": wave, "buckets": "NULL"}
    if metric.kind == Kind.COUNTER:
        size = 0.0004 if metric.unit == "usd" else 400 if "tokens" in metric.name else 3
        amount = f"{size} * (1 + sin(extract(epoch FROM at) / 7000 + {phase}))"
        return {
            **none,
            "total": amount if metric.unit == "usd" else f"round(({amount})::numeric)",
            "count": "1",
        }
    places = len(metric.buckets) + 1
    counts = [0] * places
    for place, count in ((places // 3, 6), (places // 2, 4), (places - 4, 1)):
        counts[place] += count
    return {
        **none,
        "total": "11 * 0.4",
        "count": "11",
        "buckets": f"'{{{','.join(map(str, counts))}}}'::bigint[]",
    }
