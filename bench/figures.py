"""A measured figure beside its target, as a table and as JSON."""

import json
import math
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Figure:
    """`ok` is None for a figure without a target, shown beside the others for comparison."""

    name: str
    target: str
    result: str
    ok: bool | None = None

    @property
    def verdict(self) -> str:
        return {True: "met", False: "MISSED", None: ""}[self.ok]


def at_most(name: str, value: float, limit: float, unit: str) -> Figure:
    return Figure(name, f"≤ {limit:g} {unit}", f"{value:.4g} {unit}", value <= limit)


def at_least(name: str, value: float, limit: float, unit: str) -> Figure:
    return Figure(name, f"≥ {limit:g} {unit}", f"{value:.4g} {unit}", value >= limit)


def seen(name: str, value: float, unit: str) -> Figure:
    """For comparison: no target."""
    return Figure(name, "", f"{value:.4g} {unit}")


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all do not exceed. Raises ValueError without
    values.
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values to take a percentile of")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def as_table(figures: Sequence[Figure]) -> str:
    rows = [("figure", "target", "result", "verdict")]
    rows += [(figure.name, figure.target, figure.result, figure.verdict) for figure in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def machine() -> dict[str, Any]:
    """Where the figures were measured: they mean little without it."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load": [round(load, 2) for load in psutil.getloadavg()],
    }


def write(path: Path, figures: Sequence[Figure], details: dict[str, Any]) -> None:
    """`details`: what the parts measured beside their figures, by part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    measured = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
    body = measured | {"figures": [asdict(figure) for figure in figures], "details": details}
    path.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
