"""Django looks for models here; each lives with what it belongs to."""

from monitoring.metrics.models import Batch, Hour, Minute, RollUp, Series

__all__ = ["Batch", "Hour", "Minute", "RollUp", "Series"]
