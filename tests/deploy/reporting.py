"""Two trading processes that report metrics and a circuit breaker as the client would: once a second each."""

import json
import threading
import urllib.request
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.metrics.catalogue import CATALOGUE, Kind, Metric
from tests.deploy.trading import CLIENTS, LEVEL, label_sets

INTERVAL = 1.0
# As a spool would bring it: the projection of a month takes some hours.
EARLIER = timedelta(hours=8)


def series(metric: Metric, client: str, step: int) -> Iterator[dict[str, Any]]:
    places = len(metric.buckets) + 1
    values: dict[Kind, dict[str, Any]] = {
        Kind.COUNTER: {"inc": 0.5},
        Kind.GAUGE: {"set": LEVEL + step % 5},
        Kind.HISTOGRAM: {"histogram": {"count": places, "sum": 2.5, "buckets": [1] * places}},
    }
    for *own, reporter in label_sets(metric):
        if reporter == client:
            yield {
                "name": metric.name,
                "labels": dict(zip(metric.labels, own, strict=True)),
                **values[metric.kind],
            }


def push(url: str, token: str, client: str, names: Collection[str], *, step: int, sent_at: datetime) -> None:
    """One batch; asserts that all of it was taken."""
    reported = [CATALOGUE[name] for name in names]
    body = {
        "batch_id": uuid.uuid4().hex,
        "client": client,
        "sent_at": sent_at.isoformat(),
        "series": [one for metric in reported for one in series(metric, client, step)],
    }
    request = urllib.request.Request(
        f"{url}/monitoring/metrics/push",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer) == {"accepted": len(body["series"]), "rejected": []}


def report_breaker(url: str, token: str, client: str, *, step: int) -> None:
    """One report of a breaker that opens and closes in turns."""
    states = ("CLOSED", "OPEN")
    before, after = states[step % 2], states[(step + 1) % 2]
    body = {
        "report_id": uuid.uuid4().hex,
        "name": client,
        "instance": uuid.uuid5(uuid.NAMESPACE_DNS, client).hex,
        "breakers": [
            {"name": "yahoo_finance", "state": after, "state_s": 0.0, "counts": {"rejected": 3 * step}},
        ],
        "transitions": [
            {
                "seq": step + 1,
                "breaker": "yahoo_finance",
                "from": before,
                "to": after,
                "why": "reset",
                "ago_s": 0.0,
                "in_previous_s": INTERVAL,
            }
        ],
    }
    request = urllib.request.Request(
        f"{url}/monitoring/circuit-breaker-reports",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["ignored"] == []


@contextmanager
def reporting(url: str, token: str, *names: str) -> Iterator[None]:
    """These metrics and a circuit breaker, for the length of the block, and one batch from some hours ago."""
    over = threading.Event()
    failed: list[Exception] = []

    def report() -> None:
        step = 0
        try:
            while not over.wait(INTERVAL if step else 0):
                for client in CLIENTS:
                    now = datetime.now(UTC)
                    push(url, token, client, names, step=step, sent_at=now if step else now - EARLIER)
                    report_breaker(url, token, client, step=step)
                step += 1
        except Exception as error:  # told when the block ends
            failed.append(error)

    thread = threading.Thread(target=report)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(20)
    assert failed == []
