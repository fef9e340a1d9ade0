"""What may stand in a trigger: checks that name the field and what is allowed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from killswitch.state import parse_scope
from monitoring.metrics.catalogue import CATALOGUE, Kind, Source
from monitoring.triggers.choices import INCREASES, Act, Aggregate, Comparison

FIELDS = (
    *("name", "enabled", "metric", "client", "labels", "aggregate", "window_seconds", "percent_of"),
    *("comparison", "threshold", "second_threshold", "clear_threshold", "confirmations"),
    *("stale_seconds", "on_missing", "on_error", "action", "category", "priority"),
    *("stop_reason", "stop_scope", "stop_mode", "comment"),
)
LONGEST_LABEL = 200
# No metric of the catalogue: for how many seconds the circuit breaker that is worst off has not been closed now.
BREAKERS = "circuit_breaker_open_for_seconds"
BREAKER_LABELS = ("name",)


@dataclass(frozen=True, slots=True)
class Wrong:
    """`field` cannot have its value; `problem` says what is allowed."""

    field: str
    problem: str


def problems(values: Mapping[str, Any]) -> list[Wrong]:
    """What the fields cannot say for themselves, since it follows from each other or from the catalogue. `values`: all of FIELDS."""
    found = [
        *_of_metric(values),
        *_of_percent(values),
        *_of_thresholds(values),
        *_of_scope(values),
    ]
    return [Wrong(field, problem) for field, problem in found]


def _of_metric(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    if values["metric"] == BREAKERS:
        return _of_breakers(values)
    metric = CATALOGUE.get(values["metric"])
    if metric is None or metric.source is Source.CONSOLE or metric.kind is Kind.HISTOGRAM:
        words = f"must be a counter or gauge that trading processes report (see /metrics), or {BREAKERS}"
        return [("metric", words)]
    found = []
    counter, increase = metric.kind is Kind.COUNTER, values["aggregate"] in INCREASES
    if counter != increase:
        wanted = "INCREASE, INCREASE_DAY or INCREASE_MONTH" if counter else "LARGEST, SMALLEST or SUM"
        found.append(("aggregate", f"must be {wanted}: {metric.name} is a {metric.kind}"))
    if values["aggregate"] == Aggregate.INCREASE and values["window_seconds"] % 60:
        found.append(("window_seconds", "must be whole minutes, such as 60 or 3600"))
    return [*found, *_of_labels(metric.labels, values["labels"])]


def _of_breakers(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    if values["aggregate"] != Aggregate.LARGEST:
        found.append(("aggregate", f"must be LARGEST for {BREAKERS}"))
    if values["comparison"] != Comparison.ABOVE:
        found.append(("comparison", f"must be ABOVE for {BREAKERS}"))
    if values["percent_of"]:
        found.append(("percent_of", f"must be empty for {BREAKERS}"))
    if values["stale_seconds"]:
        found.append(("stale_seconds", f"must be 0 for {BREAKERS}, which knows who is missed"))
    return [*found, *_of_labels(BREAKER_LABELS, values["labels"])]


def _of_labels(known: Sequence[str], labels: Any) -> list[tuple[str, str]]:
    allowed = ", ".join(known) or "none"
    if not isinstance(labels, dict) or not all(
        name in known and isinstance(value, str) and len(value) <= LONGEST_LABEL
        for name, value in labels.items()
    ):
        return [("labels", f'must be an object of texts such as {{"ticker": "AAPL"}}; allowed are {allowed}')]
    return []


def _of_percent(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    name = values["percent_of"]
    if not name:
        return []
    metric = CATALOGUE.get(name)
    if (
        metric is None
        or metric.kind is not Kind.GAUGE
        or metric.source is Source.CONSOLE
        or name == values["metric"]
    ):
        return [("percent_of", "must be another gauge that trading processes report, or empty")]
    return []


def _of_thresholds(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = ("threshold", "second_threshold", "clear_threshold")
    given = {name: values[name] for name in names if values[name] is not None}
    if wrong := [(name, "must be a finite number") for name, value in given.items() if not isfinite(value)]:
        return wrong
    # Further means worse.
    sign = 1 if values["comparison"] == Comparison.ABOVE else -1
    above, below = ("above", "below") if sign > 0 else ("below", "above")
    found, threshold = [], sign * given["threshold"]
    if "second_threshold" in given and sign * given["second_threshold"] <= threshold:
        found.append(("second_threshold", f"must lie {above} the threshold, or be empty"))
    if "clear_threshold" in given and sign * given["clear_threshold"] > threshold:
        found.append(("clear_threshold", f"must lie {below} the threshold or at it, or be empty"))
    return found


def _of_scope(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    stops = Act.STOP in {values["action"], values["on_missing"], values["on_error"]}
    try:
        parse_scope(values["stop_scope"])
    except ValueError as error:
        return [("stop_scope", str(error).removeprefix("scope: "))]
    return [("stop_mode", "must be given for a stop")] if stops and not values["stop_mode"] else []
