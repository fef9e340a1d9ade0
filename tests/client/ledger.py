"""What a console has counted of metrics: each batch once by its id, and only what the real catalogue allows."""

import threading
from dataclasses import dataclass, field
from typing import Any

from opsclient.metrics.table import TABLE, Kind

Key = tuple[str, tuple[tuple[str, str], ...]]
VALUES = {Kind.COUNTER: "inc", Kind.GAUGE: "set", Kind.HISTOGRAM: "histogram"}


def key(name: str, /, **labels: str) -> Key:
    return name, tuple(sorted(labels.items()))


@dataclass
class Ledger:
    """Sums of what came. `bad`: names that are rejected, as by an older console."""

    batches: list[dict[str, Any]] = field(default_factory=list)
    counters: dict[Key, float] = field(default_factory=dict)
    gauges: dict[Key, float] = field(default_factory=dict)
    histograms: dict[Key, dict[str, Any]] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def take(self, data: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and answer, as of the real console: an id that has been here changes nothing."""
        assert set(data) == {"batch_id", "client", "sent_at", "series"}
        with self.lock:
            name = data["batch_id"]
            if name not in self.answers:
                rejected = [
                    {"index": index, "name": row["name"], "error": "no such metric"}
                    for index, row in enumerate(data["series"])
                    if row["name"] in self.bad
                ]
                if len(rejected) == len(data["series"]):
                    details = {f"series[{row['index']}]": row["error"] for row in rejected}
                    message = "Nothing in this batch can be used."
                    return 400, {"error": {"code": "invalid", "message": message, "details": details}}
                for row in data["series"]:
                    if row["name"] not in self.bad:
                        self._count(row)
                self.batches.append(data)
                accepted = len(data["series"]) - len(rejected)
                self.answers[name] = {"accepted": accepted, "rejected": rejected}
            return 200, self.answers[name]

    def total(self, name: str, /, **labels: str) -> float:
        """Of a counter; without labels over all of them."""
        with self.lock:
            if labels:
                return self.counters.get(key(name, **labels), 0)
            return sum(value for (metric, _), value in self.counters.items() if metric == name)

    def _count(self, row: dict[str, Any]) -> None:
        metric = TABLE[row["name"]]
        assert set(row) == {"name", "labels", VALUES[metric.kind]}
        assert tuple(row["labels"]) == metric.labels
        at = key(row["name"], **row["labels"])
        if metric.kind is Kind.COUNTER:
            assert row["inc"] >= 0
            self.counters[at] = self.counters.get(at, 0) + row["inc"]
        elif metric.kind is Kind.GAUGE:
            self.gauges[at] = row["set"]
        else:
            self._observe(at, row["histogram"], len(metric.buckets) + 1)

    def _observe(self, at: Key, more: dict[str, Any], length: int) -> None:
        assert len(more["buckets"]) == length
        assert all(isinstance(count, int) for count in more["buckets"])
        assert sum(more["buckets"]) == more["count"]
        mine = self.histograms.setdefault(at, {"count": 0, "sum": 0, "buckets": [0] * length})
        mine["count"] += more["count"]
        mine["sum"] += more["sum"]
        mine["buckets"] = [a + b for a, b in zip(mine["buckets"], more["buckets"], strict=True)]
