"""When the canary last came by each stage, for Prometheus: it knows what is dead when the console cannot say it any more."""

from collections.abc import Iterator
from datetime import datetime

from monitoring.health.watchdog import calling, selectors
from monitoring.health.watchdog.stages import Stage
from monitoring.metrics.catalogue import Kind
from monitoring.metrics.sources import OwnMetric, Sample, register_source

PASSED = OwnMetric(
    "opsconsole_watchdog_passed_timestamp_seconds",
    Kind.GAUGE,
    "When the canary of the watchdog last came by this stage, in seconds since 1970; 0: it never has.",
)


def read_watchdog(now: datetime) -> Iterator[Sample]:
    """Without an address outside there is no such stage."""
    for stage, at in selectors.times(now=now).items():
        if stage != Stage.OUTSIDE or calling.is_set():
            yield Sample(PASSED.name, at.timestamp() if at else 0.0, {"stage": str(stage)})


def register() -> None:
    register_source("watchdog", read_watchdog, PASSED)
