"""Batches for tests, and what became of them."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from monitoring.metrics.batches import decode
from monitoring.metrics.ingest import Result, ingest
from monitoring.models import Minute, Series

NOW = datetime(2026, 11, 25, 15, 4, 30, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
_numbers = count()


def trades(inc: float = 1, **labels: str) -> dict[str, Any]:
    return {
        "name": "trades_total",
        "labels": {"ticker": "AAPL", "side": "BUY", "status": "filled"} | labels,
        "inc": inc,
    }


def signals(inc: float = 1, **labels: str) -> dict[str, Any]:
    return {
        "name": "signals_generated_total",
        "labels": {"ticker": "AAPL", "signal": "BUY"} | labels,
        "inc": inc,
    }


def value(number: float) -> dict[str, Any]:
    return {"name": "portfolio_value_usd", "set": number}


def confidence(buckets: list[int], total: float, **labels: str) -> dict[str, Any]:
    observed = {"count": sum(buckets), "sum": total, "buckets": buckets}
    return {"name": "signal_confidence", "labels": {"signal": "BUY"} | labels, "histogram": observed}


def batch_of(
    *series: dict[str, Any], at: datetime = NOW, client: str = "AAPL", batch_id: str = ""
) -> dict[str, Any]:
    return {
        "batch_id": batch_id or f"batch-{next(_numbers)}",
        "client": client,
        "sent_at": at.isoformat(),
        "series": list(series),
    }


def push(
    *series: dict[str, Any],
    at: datetime = NOW,
    now: datetime | None = None,
    client: str = "AAPL",
    batch_id: str = "",
) -> Result:
    """Through the door, at `now`: when it was sent, unless it is said."""
    body = json.dumps(batch_of(*series, at=at, client=client, batch_id=batch_id)).encode()
    return ingest(decode(body), now=now or at)


def series_of(name: str, client: str = "AAPL", **labels: str) -> Series:
    return Series.objects.get(name=name, client=client, labels__contains=labels)


def minute_of(name: str, at: datetime = NOW, client: str = "AAPL", **labels: str) -> Minute:
    minute = at.replace(second=0, microsecond=0)
    return Minute.objects.get(series_id=series_of(name, client, **labels).pk, at=minute)
