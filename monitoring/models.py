"""Django looks for models here; each lives with what it belongs to."""

from monitoring.breakers.models import (
    BreakerApplied,
    BreakerCommand,
    BreakerProcess,
    BreakerState,
    BreakerTransition,
    BreakerVersion,
    CircuitBreaker,
)
from monitoring.health.models import HealthChange, HealthComponent, HealthDay, ProbeJob, Pulse
from monitoring.health.watchdog.models import Canary, Watch
from monitoring.metrics.models import Batch, FiveMinutes, Hour, Minute, RollUp, Series
from monitoring.triggers.models import Trigger, TriggerState

__all__ = [
    "Batch",
    "BreakerApplied",
    "BreakerCommand",
    "BreakerProcess",
    "BreakerState",
    "BreakerTransition",
    "BreakerVersion",
    "Canary",
    "CircuitBreaker",
    "FiveMinutes",
    "HealthChange",
    "HealthComponent",
    "HealthDay",
    "Hour",
    "Minute",
    "ProbeJob",
    "Pulse",
    "RollUp",
    "Series",
    "Trigger",
    "TriggerState",
    "Watch",
]
