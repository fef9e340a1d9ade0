"""One channel as the page shows it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.board import ICONS
from alerts.choices import Priority
from alerts.models import Channel, Delivery

# A delivery that waits longer than this has something in its way.
SLOW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """`channel` carries `waiting` (deliveries that are not out yet) and `oldest` (since when the oldest of them waits)."""

    channel: Channel
    now: datetime

    @property
    def waiting(self) -> int:
        return int(getattr(self.channel, "waiting", 0))

    @property
    def oldest(self) -> datetime | None:
        when: datetime | None = getattr(self.channel, "oldest", None)
        return when

    @property
    def failing(self) -> bool:
        return self.channel.enabled and self.channel.failures_in_a_row > 0

    @property
    def slow(self) -> bool:
        return self.oldest is not None and self.now - self.oldest > SLOW

    @property
    def bad(self) -> bool:
        return self.failing or (self.channel.enabled and self.slow)

    @property
    def word(self) -> str:
        if not self.channel.enabled:
            return "Off"
        if self.failing:
            return "Failing"
        if self.slow:
            return "Behind"
        return "Works" if self.channel.last_success_at else "Not used yet"

    @property
    def icon(self) -> str:
        icons = {"Failing": "alert-triangle", "Behind": "hourglass", "Works": "check", "Off": "minus"}
        return icons.get(self.word, "circle")

    @property
    def takes(self) -> str:
        """What it is told: `HIGH or more, RISK_WARNING, from the first escalation on`."""
        parts = [
            f"{self.channel.min_priority} or more",
            ", ".join(self.channel.categories) or "every category",
        ]
        if self.channel.escalation:
            parts.append(f"from escalation {self.channel.escalation} on")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A delivery that did not arrive, with its priority's own icon."""

    delivery: Delivery

    @property
    def icon(self) -> str:
        return ICONS[Priority(self.delivery.priority)][0]

    @property
    def filled(self) -> bool:
        return ICONS[Priority(self.delivery.priority)][1]
