"""The trading day, its week and its month: from midnight to midnight in the setting TRADING_ZONE, also where clocks are changed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until just before `end`, in UTC."""

    start: datetime
    end: datetime


def zone() -> ZoneInfo:
    found: ZoneInfo = settings.TRADING_ZONE
    return found


def trading_date(now: datetime) -> date:
    return now.astimezone(zone()).date()


def span_of(day: date) -> Span:
    """23 to 25 hours. A midnight that does not exist is the first moment after it."""
    return Span(_midnight(day), _midnight(day + timedelta(days=1)))


def today(now: datetime) -> Span:
    return span_of(trading_date(now))


def this_week(now: datetime) -> Span:
    """Seven trading days from Monday on."""
    monday = trading_date(now) - timedelta(days=trading_date(now).weekday())
    return Span(_midnight(monday), _midnight(monday + timedelta(days=7)))


def days_of_month(day: date) -> list[date]:
    """All days of the month that `day` is in."""
    found = [day.replace(day=1)]
    while (following := found[-1] + timedelta(days=1)).month == day.month:
        found.append(following)
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone()).astimezone(UTC)
