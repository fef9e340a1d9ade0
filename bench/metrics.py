"""The parts of `script/bench metrics`: each measures in processes of its own and sets its results beside the targets."""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.alerts import json_of
from bench.breach import breach
from bench.figures import Figure, at_least, at_most, percentile, seen
from bench.metrics_client import record
from bench.metrics_exposition import exposition
from bench.result import Result

MONTH_ROWS = 1000 * 30 * 24 * 60


def metrics_ingest(folder: Path) -> Result:
    """Batches over HTTP, each committed before it is answered."""
    found = json_of(["bench.metrics_ingest", "--folder", str(folder)])
    figures = [
        at_least(
            f"ingest, {found['series']} series a batch, one web process",
            statistics.median(found["per_second"]),
            20_000,
            "series/s",
        ),
        seen("ingest at full speed: a batch, median", statistics.median(found["busy_ms"]), "ms"),
        at_most("ingest: increments answered and not counted", abs(found["missing"]), 0, ""),
        at_most("ingest: requests refused", found["failed"], 0, ""),
        at_most(
            "ingest, 100 series a batch, 20 batches a second: p99",
            percentile(found["idle_ms"], 0.99),
            50,
            "ms",
        ),
        seen("ingest, 100 series a batch: median", statistics.median(found["idle_ms"]), "ms"),
    ]
    return Result(figures, found)


def metrics_rows(folder: Path) -> Result:
    """Charts, roll-up and retention at a tenth of a month of 1,000 series."""
    found = json_of(["bench.metrics_rows", "--folder", str(folder)])
    rows = found["rows"]
    days = f"{rows:,} minute rows"
    figures = [
        at_most(f"24-hour chart of one series among {days}: SQL, worst", max(found["chart_ms"]), 50, "ms"),
        seen("24-hour chart: SQL, median", statistics.median(found["chart_ms"]), "ms"),
        seen(
            f"size of {MONTH_ROWS:,} minute rows, by that of {rows:,}",
            found["bytes"] * MONTH_ROWS / rows / 2**30,
            "GiB",
        ),
        *_beside("roll-up", found["roll-up"]),
        *_beside("drop", found["drop"]),
    ]
    return Result(figures, found)


def _beside(what: str, found: dict[str, Any]) -> list[Figure]:
    """What housekeeping took, and the batches of 100 series that came meanwhile."""
    return [
        seen(f"{what} of what is due", found["found"]["seconds"], "s"),
        at_most(f"batches refused during {what}", found["failed"], 0, ""),
        at_most(f"100-series batch during {what}, longest", max(found["batch_ms"]), 1000, "ms"),
        seen(f"100-series batch during {what}, median", statistics.median(found["batch_ms"]), "ms"),
    ]


METRIC_PARTS: dict[str, Callable[[Path], Result]] = {
    "metrics-ingest": metrics_ingest,
    "metrics-rows": metrics_rows,
    "metrics-client": record,
    "exposition": exposition,
    "breach": breach,
}
