"""One metric with one set of labels, and the book of those that this process has used."""

import json
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsclient.metrics.table import CONSOLE_OWN, TABLE, Kind, Metric
from opsclient.metrics.values import label

logger = logging.getLogger("opsclient")

MOST_LABEL_SETS = 1_000  # of one metric; the console keeps as many apart
OTHER = "other"


@dataclass(frozen=True, eq=False, slots=True)
class Series:
    """Found by its identity, which hashes faster than its labels. `head`: the beginning of its JSON object."""

    metric: Metric
    labels: tuple[str, ...]
    head: str


class Book:
    """All series of this process. Bounded: beyond MOST_LABEL_SETS of a metric its free labels are `other`.

    For any number of threads, without a lock: `setdefault` of a dictionary is one step.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Series] = {}
        self._numbers: Counter[str] = Counter()
        self._full: set[str] = set()

    def find(self, name: object, kind: Kind, labels: Mapping[str, Any]) -> Series:
        """By the names that the application gave. Raises ValueError."""
        metric = TABLE.get(name) if isinstance(name, str) else None
        if metric is None or metric.kind is not kind:
            raise ValueError(_wrong_name(name, metric, kind))
        if len(labels) != len(metric.labels) or any(name not in labels for name in metric.labels):
            raise ValueError(_wrong_labels(metric, labels))
        return self.get(metric, *[labels[name] for name in metric.labels])

    def get(self, metric: Metric, *values: Any) -> Series:
        """With the labels' values in the metric's order. Raises ValueError."""
        try:
            return self._known[metric.name, *values]
        except (KeyError, TypeError):
            return self._add(metric, values)

    def _add(self, metric: Metric, values: tuple[Any, ...]) -> Series:
        checked = tuple(
            _label(metric, name, value) for name, value in zip(metric.labels, values, strict=True)
        )
        known = self._known.get((metric.name, *checked))
        if known is None and self._numbers[metric.name] >= MOST_LABEL_SETS:
            self._say_full(metric)
            checked = tuple(
                value if name in metric.choices else OTHER
                for name, value in zip(metric.labels, checked, strict=True)
            )
            known = self._known.get((metric.name, *checked))
        if known is None:
            self._numbers[metric.name] += 1
            made = Series(metric, checked, _head(metric, checked))
            known = self._known.setdefault((metric.name, *checked), made)
        return known

    def _say_full(self, metric: Metric) -> None:
        if metric.name not in self._full:
            self._full.add(metric.name)
            logger.warning(
                "%s has %d sets of labels; what comes with new ones is counted as %r",
                metric.name,
                MOST_LABEL_SETS,
                OTHER,
            )


def _label(metric: Metric, name: str, value: Any) -> str:
    text = label(name, value)
    allowed = metric.choices.get(name)
    if allowed is not None and text not in allowed:
        raise ValueError(f"{name} must be {' or '.join(allowed)}, not {text!r:.40}")
    return text


def _head(metric: Metric, values: tuple[str, ...]) -> str:
    labels = json.dumps(dict(zip(metric.labels, values, strict=True)), separators=(",", ":"))
    return f'{{"name":"{metric.name}","labels":{labels},'


def _wrong_name(name: object, metric: Metric | None, kind: Kind) -> str:
    if metric is not None:
        method = {Kind.COUNTER: "inc", Kind.GAUGE: "set", Kind.HISTOGRAM: "observe"}[metric.kind]
        return f"{metric.name} is a {metric.kind}: use {method}"
    if name in CONSOLE_OWN:
        return f"{name} is known to the console itself and cannot be reported"
    known = ", ".join(sorted(metric.name for metric in TABLE.values() if metric.kind is kind))
    return f"name must be a {kind} that the console knows, not {name!r:.80}; there are {known}"


def _wrong_labels(metric: Metric, labels: Mapping[str, Any]) -> str:
    wanted = ", ".join(metric.labels) or "none"
    missing = [name for name in metric.labels if name not in labels]
    unknown = [name for name in labels if name not in metric.labels]
    faults = [
        f"{word}: {', '.join(names)}" for word, names in (("missing", missing), ("unknown", unknown)) if names
    ]
    return f"labels of {metric.name} must be {wanted} ({'; '.join(faults)})"
