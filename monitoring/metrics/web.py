"""Metrics of the web processes themselves, counted by django-prometheus; in multiprocess mode summed up over all of them."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from django.http import HttpRequest, HttpResponseBase
from django_prometheus.middleware import PrometheusAfterMiddleware
from prometheus_client import REGISTRY, CollectorRegistry, disable_created_metrics
from prometheus_client.exposition import generate_latest as as_text
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.openmetrics.exposition import generate_latest as as_openmetrics
from prometheus_client.registry import Collector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
OPENMETRICS_END = "# EOF\n"
OTHER_METHOD = "<invalid method>"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH"})

# Series about when a counter was made: twice the lines, and nobody asks for them.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types


class RequestMetricsMiddleware(PrometheusAfterMiddleware):  # type: ignore[misc]  # it has no types
    """django-prometheus' own, with bounded labels, and without a failure over a header."""

    def label_metric(
        self, metric: Any, request: HttpRequest, response: HttpResponseBase | None = None, **labels: str
    ) -> Any:
        # One histogram takes the method as it was sent: any word, so any number of series.
        if labels.get("method", "GET") not in METHODS:
            labels["method"] = OTHER_METHOD
        return super().label_metric(metric, request, response, **labels)

    def process_request(self, request: HttpRequest) -> None:
        # A Content-Length that is no number: the request is refused further on, in words.
        with suppress(ValueError):
            super().process_request(request)


def expose_web(*, openmetrics: bool = False) -> str:
    """Of this process; with `PROMETHEUS_MULTIPROC_DIR` of all web processes since the folder was emptied. Without an end mark."""
    encode: Callable[[Collector], bytes] = as_openmetrics if openmetrics else as_text
    return encode(_registry()).decode().removesuffix(OPENMETRICS_END)


def _registry() -> Collector:
    if not os.environ.get(FOLDER):
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it has no types
    return registry


def forget_dead_processes() -> None:
    """Have processes that ended leave no gauges behind; their counts stay, or sums would fall. Called when a web process starts."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    for path in Path(folder).glob("gauge_live*_*.db"):
        pid = path.stem.rpartition("_")[2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            mark_process_dead(int(pid), folder)  # type: ignore[no-untyped-call]  # it has no types
