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


def metrics_faults(folder: Path) -> Result:
    """Trades recorded while web, worker and the trading processes are killed in a loop."""
    found = json_of(["bench.metrics_faults", "--folder", str(folder)])
    kills = ", ".join(f"{count} × {name}" for name, count in sorted(found["kills"].items()))
    trades = sum(found["expected"].values())
    figures = [
        at_least("trades recorded under kills", trades, 1_000_000, "trades"),
        seen(f"kill -9 meanwhile ({kills})", sum(found["kills"].values()), "kills"),
        *[
            at_most(f"trades_total {where}, difference to those", _differences(found, key), 0, "trades")
            for key, where in (
                ("series", "in the database"),
                ("minutes", "in minute rows"),
                ("exposed", "on /metrics"),
            )
        ],
        at_most("parts of the tape that are not counted once each", found["wrong"], 0, ""),
        at_most("acknowledged and gone at a restart", found["lost"], 0, "trades"),
        at_most("counted and never recorded, at a restart", found["extra"] + found["misplaced"], 0, ""),
        seen(
            "taken by a kill before they were flushed, and recorded again", found["recorded_again"], "trades"
        ),
        seen("batches", found["batches"], ""),
        seen("posted again, since web was away or its answer was lost", found["posted_again"], "times"),
        seen("sent again after a kill of the client, though counted before", found["repeated"], "batches"),
        seen("trades a second, with all the restarts", trades / found["seconds"], "trades/s"),
    ]
    return Result(figures, found)


def _differences(found: dict[str, Any], where: str) -> float:
    """Of each trading process by itself, so that they cannot make up for each other."""
    expected, counted = found["expected"], found[where]
    return float(sum(abs(expected.get(name, 0) - counted.get(name, 0)) for name in expected | counted))


def metrics_pages(folder: Path) -> Result:
    """Whole pages over 24 hours. No page has twelve panels; System and Trading have six each."""
    found = json_of(["bench.metrics_pages", "--folder", str(folder)])
    pages = found["pages"]
    twelve = [pages["system"], pages["trading"]]
    panels = sum(page["panels"] for page in twelve)
    figures = [
        at_most(
            f"pages System and Trading over 24 hours, {panels} panels, {found['series']} series: server, medians",
            sum(statistics.median(page["ms"]) for page in twelve),
            300,
            "ms",
        ),
        at_most("the two as a browser gets them", sum(page["bytes"] for page in twelve) / 1000, 150, "KB"),
    ]
    figures += [
        seen(f"page {name}: server, median", statistics.median(page["ms"]), "ms")
        for name, page in pages.items()
    ]
    return Result(figures, found)


METRIC_PARTS: dict[str, Callable[[Path], Result]] = {
    "metrics-ingest": metrics_ingest,
    "metrics-rows": metrics_rows,
    "metrics-pages": metrics_pages,
    "metrics-client": record,
    "exposition": exposition,
    "metrics-faults": metrics_faults,
    "breach": breach,
}
