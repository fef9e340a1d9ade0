"""Health as metrics: `/metrics` reads them anew at each scrape, and the sampler keeps them, so that response times have their past."""

from collections.abc import Iterator
from datetime import datetime

from monitoring.health.choices import Status
from monitoring.health.models import HealthComponent
from monitoring.metrics.sampling import register_sampled
from monitoring.metrics.sources import Sample, register_source

NUMBERS = {Status.HEALTHY: 0, Status.DEGRADED: 1, Status.UNHEALTHY: 2, Status.UNKNOWN: 3}
STATUS = "health_component_status"
DURATION = "health_check_duration_seconds"


def read_health(now: datetime) -> Iterator[Sample]:
    components = list(HealthComponent.objects.filter(enabled=True, retired_at=None).order_by("slug"))
    for component in components:
        yield Sample(STATUS, NUMBERS[component.status_at(now)], {"component": component.slug})
    for component in components:
        if component.response_ms is not None and not component.is_stale(now=now):
            yield Sample(DURATION, component.response_ms / 1000, {"component": component.slug})


def register() -> None:
    register_source("health", read_health)
    register_sampled(read_health)
