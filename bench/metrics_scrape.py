"""The inside of `bench.metrics_exposition`, in a process with the console's settings: series in the database and the same in a registry.

`python -m bench.metrics_scrape --count N` prints JSON.
"""

import argparse
import json
import random
from collections.abc import Iterator
from datetime import datetime
from itertools import cycle
from typing import Any
from uuid import uuid4

import django
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import generate_latest

from bench.metrics_exposition import in_turn

django.setup()

from django.test import Client  # noqa: E402  only now
from django.utils import timezone  # noqa: E402  likewise

from monitoring.metrics.catalogue import CATALOGUE, Kind, Metric, Source  # noqa: E402  likewise
from monitoring.metrics.exposition import expose  # noqa: E402  likewise
from monitoring.metrics.models import Series  # noqa: E402  likewise
from opsconsole.accounts.models import User  # noqa: E402  likewise
from opsconsole.accounts.services import create_token  # noqa: E402  likewise
from opsconsole.audit.actor import Actor  # noqa: E402  likewise

# Of each hundred series, as of a desk that trades many tickers: most are counters and gauges.
HISTOGRAMS = 10


def metrics_in_turn() -> Iterator[Metric]:
    of_clients = [metric for metric in CATALOGUE.values() if metric.source is Source.CLIENT and metric.labels]
    plain = cycle(metric for metric in of_clients if metric.kind is not Kind.HISTOGRAM)
    histograms = cycle(metric for metric in of_clients if metric.kind is Kind.HISTOGRAM)
    number = 0
    while True:
        yield next(histograms if number % 100 < HISTOGRAMS else plain)
        number += 1


def a_row(metric: Metric, number: int, at: datetime, chance: random.Random) -> Series:
    labels = {label: f"{label}-{number}" for label in metric.labels}
    row = Series(
        key=uuid4(), name=metric.name, client="desk", labels=labels, first_at=at, at=at, received_at=at
    )
    row.value = round(chance.uniform(0, 100_000), 2)
    if metric.kind is Kind.HISTOGRAM:
        buckets = [chance.randrange(50) for _ in range(len(metric.buckets) + 1)]
        row.buckets, row.count = buckets, sum(buckets)
    return row


def registry_of(rows: list[Series]) -> CollectorRegistry:
    """The same metrics, labels and values as `prometheus_client` holds them."""
    registry = CollectorRegistry()
    kinds: dict[str, Any] = {Kind.COUNTER: Counter, Kind.GAUGE: Gauge, Kind.HISTOGRAM: Histogram}
    made: dict[str, Any] = {}
    for row in rows:
        metric = CATALOGUE[row.name]
        if metric.name not in made:
            buckets = {"buckets": metric.buckets} if metric.buckets else {}
            names = (*metric.labels, "client")
            made[metric.name] = kinds[metric.kind](
                metric.name, metric.help, names, registry=registry, **buckets
            )
        child = made[metric.name].labels(**row.labels, client=row.client)
        if metric.kind is Kind.HISTOGRAM:
            for bucket, count in zip(child._buckets, row.buckets or (), strict=True):  # noqa: SLF001  observing each would take minutes
                bucket.set(count)
            child._sum.set(row.value)  # noqa: SLF001  likewise
        elif metric.kind is Kind.COUNTER:
            child.inc(row.value)
        else:
            child.set(row.value)
    return registry


def compare(ours: str, theirs: str) -> int:
    """How many lines of values both have. Raises RuntimeError when one says what the other does not."""
    names = {line.partition("{")[0] for line in theirs.splitlines() if not line.startswith("#")}
    found = [
        {_sorted(line) for line in body.splitlines() if line.partition("{")[0] in names}
        for body in (ours, theirs)
    ]
    # `prometheus_client` leaves the sum out where a bucket lies below 0.
    more = {line for line in found[0] - found[1] if not line.startswith("trade_slippage_bps_sum")}
    if more or found[1] - found[0]:
        raise RuntimeError(f"not the same: {sorted(more)[:3]}, {sorted(found[1] - found[0])[:3]}")
    return len(found[0])


def _sorted(line: str) -> str:
    """With its labels in one order."""
    name, _, rest = line.partition("{")
    labels, _, value = rest.rpartition("} ")
    return f"{name} {sorted(labels.split(','))} {value}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.metrics_scrape", description=__doc__)
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args()
    # It would write twice the lines.
    disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types
    chance, at, metrics = random.Random(4), timezone.now(), metrics_in_turn()
    rows = [a_row(next(metrics), number, at, chance) for number in range(options.count)]
    Series.objects.bulk_create(rows, batch_size=1000)
    registry = registry_of(rows)
    user = User.objects.create_user("prometheus", is_superuser=True)
    token = create_token(actor=Actor.system("bench"), user=user, name="bench", expires_at=None)[1]
    client = Client(headers={"Authorization": f"Bearer {token}", "Host": "localhost"})

    def get() -> None:
        if client.get("/metrics").status_code != 200:
            raise RuntimeError("GET /metrics does not answer 200")

    lines = compare(expose(now=timezone.now()), generate_latest(registry).decode())
    found = in_turn(
        {
            "expose": lambda: expose(now=timezone.now()),
            "get": get,
            "generate_latest": lambda: generate_latest(registry),
        }
    )
    print(json.dumps({"series": len(rows), "lines": lines, **found}))


if __name__ == "__main__":
    main()
