"""The rule of a category, as far as a trading process may wish to change it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsclient.alerts.choices import AlertCategory, AlertPriority, known
from opsclient.errors import ConfigurationError

MOST_PER_HOUR = 100_000
LONGEST_WINDOW_MINUTES = 10_080


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A change of one category's rule; what is None stays as it is.

    min_priority: less urgent alerts are not sent. max_per_hour: 0–100,000. dedupe_window_minutes: 0–10,080.
    Raises ConfigurationError, which names the argument.
    """

    category: AlertCategory
    min_priority: AlertPriority | None = None
    max_per_hour: int | None = None
    dedupe_window_minutes: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "category", known(AlertCategory, self.category, argument="category"))
        if self.min_priority is not None:
            minimum = known(AlertPriority, self.min_priority, argument="min_priority")
            object.__setattr__(self, "min_priority", minimum)
        whole("max_per_hour", self.max_per_hour, MOST_PER_HOUR)
        whole("dedupe_window_minutes", self.dedupe_window_minutes, LONGEST_WINDOW_MINUTES)

    def changes(self) -> Mapping[str, Any]:
        """What the console is asked to change."""
        values = {
            "min_priority": self.min_priority,
            "max_per_hour": self.max_per_hour,
            "dedupe_window_minutes": self.dedupe_window_minutes,
        }
        return {name: value for name, value in values.items() if value is not None}


def whole(name: str, value: object, most: int) -> None:
    """Check a whole number. Raises ConfigurationError naming it."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ConfigurationError(f"{name} must be a whole number from 0 to {most}, not {value!r:.40}")
