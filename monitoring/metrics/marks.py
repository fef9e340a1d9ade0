"""What happened while a chart's lines went their ways: stops, drills and open breakers, as stretches of the time axis."""

from dataclasses import dataclass
from datetime import datetime

from monitoring.breakers.models import CircuitBreaker
from monitoring.breakers.opening import stretches
from monitoring.day import Span
from monitoring.metrics import reading
from monitoring.metrics.charts import Grid, episodes

MOST_MARKS = 50
# As `circuit_breaker_state` has it.
OPEN = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of the time axis. `kind`: stop, drill or breaker; `end`: None while it goes on."""

    kind: str
    label: str
    start: datetime
    end: datetime | None


def marks(steps: Grid) -> list[Mark]:
    """Stops, drills and open breakers within the range, in order; the newest of them."""
    found = [
        Mark(
            "drill" if row.drill else "stop",
            f"{'Drill' if row.drill else row.mode} {row.scope}, {row.reason}",
            row.activated_at,
            row.ended_at,
        )
        for row in episodes(steps.start, steps.end)
    ]
    found += [
        Mark("breaker", f"{one.name} OPEN", one.start, one.end)
        for one in stretches(None, Span(steps.start, steps.end), now=steps.now, limit=MOST_MARKS)
    ]
    for name, line in _pushed(steps).items():
        found += _openings(f"{name} OPEN", line, steps)
    return sorted(found, key=lambda mark: mark.start)[-MOST_MARKS:]


def _pushed(steps: Grid) -> dict[str, reading.Line]:
    """States of breakers that nobody reports, but somebody pushes as a metric."""
    reported = set(CircuitBreaker.objects.values_list("name", flat=True))
    chart = reading.highest("circuit_breaker_state", "name", steps.start, steps.end, steps.step)
    return {line.labels["name"]: line for line in chart.lines if line.labels["name"] not in reported}


def _openings(label: str, line: reading.Line, steps: Grid) -> list[Mark]:
    """As exact as the steps: a breaker counts as open for each step in which it was so for anybody."""
    found: list[Mark] = []
    for number, at in enumerate(steps.times):
        cell = line.cells[number]
        if cell is None or cell.high is None or cell.high < OPEN:
            continue
        end = at + steps.step
        if found and found[-1].end == at:
            found[-1] = Mark("breaker", label, found[-1].start, end)
        else:
            found.append(Mark("breaker", label, at, end))
    return found
