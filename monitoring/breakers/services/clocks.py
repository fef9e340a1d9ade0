"""When a report was sent, though no clock is shared and a report may wait long on its way: in a console that stands still, for example."""

from datetime import UTC, datetime

from monitoring.breakers.models import BreakerProcess
from monitoring.breakers.reports import Report

# Seconds a second by which the two clocks may drift apart.
DRIFT = 1e-4
# Seconds. Nothing is longer on its way; if it seems so, a clock was set.
LONGEST_WAY = 600.0


def sent_at(process: BreakerProcess, report: Report, *, now: datetime) -> datetime:
    """By the console's clock. Notes in `process`, which is not saved, how its clock stands by the quickest report so far."""
    if report.sent_s is None:
        return now
    offset = now.timestamp() - report.sent_s
    if process.clock_offset is not None and process.clock_at is not None:
        quickest = process.clock_offset + DRIFT * max(0.0, (now - process.clock_at).total_seconds())
        if offset - quickest <= LONGEST_WAY:
            offset = min(offset, quickest)
    process.clock_offset, process.clock_at = offset, now
    return datetime.fromtimestamp(offset + report.sent_s, UTC)
