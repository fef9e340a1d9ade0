"""A console that is none: `/metrics` with every metric of the catalogue, which grow from scrape to scrape, and the door for alerts."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from monitoring.health.watchdog.stages import Stage
from monitoring.metrics.catalogue import CATALOGUE, Kind, Metric, Source

CLIENTS = ("alpha", "beta")
VALUES = {
    "ticker": ("AAPL", "IBM"),
    "status": ("200", "500"),
    "endpoint": ("/quotes",),
    "method": ("GET",),
    "cache_type": ("redis", "memory"),
    "signal": ("BUY", "SELL"),
    "provider": ("anthropic",),
    "model": ("large", "small"),
    "risk_type": ("volatility",),
    "name": ("yahoo_finance",),
    "reason": ("MANUAL",),
    "component": ("redis",),
}
# Gauges have to be something; these are near enough to reality to be read.
LEVEL = 40.0


def label_sets(metric: Metric) -> Iterator[list[str]]:
    """Values of its labels in their order, `client` last."""
    clients = CLIENTS if metric.source is not Source.CONSOLE else ("console",)
    for values in product(*(metric.choices.get(label) or VALUES[label] for label in metric.labels), clients):
        yield list(values)


def family(metric: Metric, scrape: int) -> Family:
    labels = [*metric.labels, "client"]
    if metric.kind is Kind.COUNTER:
        counter = CounterMetricFamily(metric.name, metric.help, labels=labels)
        for values in label_sets(metric):
            counter.add_metric(values, 3.0 * scrape)
        return counter
    if metric.kind is Kind.GAUGE:
        gauge = GaugeMetricFamily(metric.name, metric.help, labels=labels)
        for values in label_sets(metric):
            gauge.add_metric(values, LEVEL + scrape % 5)
        return gauge
    histogram = HistogramMetricFamily(metric.name, metric.help, labels=labels)
    for values in label_sets(metric):
        bounds = [str(bound) for bound in metric.buckets] + ["+Inf"]
        named = dict(zip(labels, values, strict=True))
        for place, bound in enumerate(bounds, 1):
            histogram.add_sample(f"{metric.name}_bucket", named | {"le": bound}, scrape * place)
        # The library leaves these two out where a bound is negative; the guide's first query needs them.
        histogram.add_sample(f"{metric.name}_count", named, scrape * len(bounds))
        histogram.add_sample(f"{metric.name}_sum", named, 2.5 * scrape)
    return histogram


class Growing:
    """A collector of prometheus_client: the catalogue, and what the console says besides."""

    def __init__(self, now: float) -> None:
        self.scrapes = 0
        self._now = now

    def collect(self) -> Iterator[Family]:
        self.scrapes += 1
        for metric in CATALOGUE.values():
            yield family(metric, self.scrapes)
        halted = GaugeMetricFamily("opsconsole_trading_halted", "1: stopped.", labels=["scope"])
        halted.add_metric(["global"], 0)
        yield halted
        pushed = GaugeMetricFamily(
            "opsconsole_metrics_last_push_timestamp_seconds", "Time of the newest batch.", labels=["client"]
        )
        for client in CLIENTS:
            pushed.add_metric([client], self._now)
        yield pushed
        passed = GaugeMetricFamily(
            "opsconsole_watchdog_passed_timestamp_seconds", "When the canary came by.", labels=["stage"]
        )
        for stage in Stage.values:
            passed.add_metric([stage], time.time())
        yield passed


class TradingConsole:
    """`alerts`: what was sent to `/api/v2/alerts`. `refused`: paths that were asked for without the token."""

    def __init__(self, token: str, now: float) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(Growing(now))
        self.token = token
        self.alerts: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"127.0.0.1:{self._server.server_port}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def exposition(self) -> bytes:
        return bytes(generate_latest(self._registry))  # type: ignore[no-untyped-call]

    def _handler(console) -> type[BaseHTTPRequestHandler]:  # noqa: N805  the handler below has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.allowed("/metrics"):
                    self.answer(200, console.exposition(), CONTENT_TYPE_LATEST)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.allowed("/api/v2/alerts"):
                    console.alerts += json.loads(body)
                    self.answer(200)

            def allowed(self, path: str) -> bool:
                if self.path != path:
                    self.answer(404)
                elif self.headers["Authorization"] != f"Bearer {console.token}":
                    console.refused.append(path)
                    self.answer(401)
                else:
                    return True
                return False

            def answer(self, status: int, body: bytes = b"", content_type: str = "text/plain") -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler
