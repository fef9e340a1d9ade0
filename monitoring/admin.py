"""Django looks for admin pages here; each lives with what it belongs to."""

from monitoring.breakers import admin as breakers
from monitoring.health import admin as health
from monitoring.metrics import admin as metrics
from monitoring.triggers import admin as triggers

__all__ = ["breakers", "health", "metrics", "triggers"]
