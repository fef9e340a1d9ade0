"""Within how long somebody must own an alert (guide 8.3). Pure: no ORM queries, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from alerts.choices import AlertState, Priority
from alerts.models import ResponseTime

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """Monday to Friday, between two times of the day in the desk's zone."""

    opens: time
    closes: time
    zone: ZoneInfo

    @classmethod
    def of_settings(cls) -> "BusinessHours":
        opens, closes = settings.BUSINESS_HOURS
        return cls(opens, closes, ZoneInfo(settings.TIME_ZONE))

    def end_of_next_day(self, after: datetime) -> datetime:
        """The end of the first business day that opens after `after`, in UTC. In the night before one, that is this one."""
        local = after.astimezone(self.zone)
        day = local.date() if local.time() < self.opens else local.date() + timedelta(days=1)
        while day.weekday() >= SATURDAY:
            day += timedelta(days=1)
        return datetime.combine(day, self.closes, tzinfo=self.zone).astimezone(UTC)


def due(
    priority: str,
    *,
    raised_at: datetime,
    times: Mapping[str, ResponseTime],
    hours: BusinessHours | None = None,
) -> tuple[datetime | None, datetime | None]:
    """By when somebody must own it, and when it is escalated if nobody does: `(due_at, escalate_at)`.

    What is due at once is escalated `escalate_every_minutes` later, all else when it is due. `times`: by priority; one without a row is
    never due `(None, None)`. `hours` are the settings' unless given.
    """
    wanted = times.get(priority)
    if wanted is None:
        return None, None
    if wanted.next_business_day:
        end = (hours or BusinessHours.of_settings()).end_of_next_day(raised_at)
        return end, end
    if wanted.minutes == 0:
        return raised_at, raised_at + timedelta(minutes=wanted.escalate_every_minutes)
    at = raised_at + timedelta(minutes=wanted.minutes)
    return at, at


def overdue(now: datetime) -> Q:
    """The alerts that somebody should own by now, and nobody does."""
    return Q(state=AlertState.FIRING, due_at__lte=now, acknowledged_at=None)


def raised(priority: str) -> str:
    """The priority one step more urgent; CRITICAL stays."""
    steps = list(Priority)
    return steps[min(Priority(priority).rank + 1, len(steps) - 1)].value
