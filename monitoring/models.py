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
from monitoring.metrics.models import Batch, Hour, Minute, RollUp, Series
from monitoring.triggers.models import Trigger, TriggerState

__all__ = [
    "Batch",
    "BreakerApplied",
    "BreakerCommand",
    "BreakerProcess",
    "BreakerState",
    "BreakerTransition",
    "BreakerVersion",
    "CircuitBreaker",
    "Hour",
    "Minute",
    "RollUp",
    "Series",
    "Trigger",
    "TriggerState",
]
