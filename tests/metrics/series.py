"""Series as ingest leaves them."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from monitoring.metrics.catalogue import CATALOGUE, Kind
from monitoring.metrics.models import Series

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)


def a_series(name: str, value: float = 1.0, *, client: str = "desk-1", **fields: Any) -> Series:
    """One of `name`; labels that are not given are called as they are. A histogram counts its value once, in its last bucket."""
    metric = CATALOGUE[name]
    labels = {label: label for label in metric.labels} | fields.pop("labels", {})
    at = fields.pop("at", NOW)
    if metric.kind is Kind.HISTOGRAM:
        fields = {"count": 1, "buckets": [*[0] * len(metric.buckets), 1]} | fields
    fields = {"first_at": at, "received_at": at} | fields
    return Series.objects.create(
        key=uuid4(), name=name, client=client, labels=labels, value=value, at=at, **fields
    )


def every_metric() -> None:
    """A series of each metric of the catalogue that clients report."""
    for metric in CATALOGUE.values():
        if metric.source == "client":
            a_series(metric.name)
