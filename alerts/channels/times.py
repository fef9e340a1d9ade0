"""Times in the desk's zone, and how long something lasted."""

from datetime import datetime, timedelta

from django.utils import timezone

from alerts.wording import minutes


def at(moment: datetime, *, now: datetime) -> str:
    """`14:32` today, `18 Nov 11:00` else, with the year when it is not this one."""
    local, today = timezone.localtime(moment), timezone.localtime(now)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {local:%b}{year} {local:%H:%M}"


def clock(moment: datetime, *, now: datetime) -> str:
    """With the zone's name, for the first time in a message: `14:32 EST`."""
    return f"{at(moment, now=now)} {timezone.localtime(moment).tzname()}"


def lasted(span: timedelta) -> str:
    """`40 seconds`, `27 minutes`, `2 h 06 min`, `3 days`."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} {'second' if seconds == 1 else 'seconds'}"
    if seconds < 2 * 86_400:
        return minutes(seconds // 60)
    return f"{seconds // 86_400} days"
