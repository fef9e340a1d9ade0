"""Quiet hours: hours of the day on a wall clock somewhere, whatever its summer time does. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Quiet:
    """What the clock says. `until`: when these quiet hours end (UTC); None outside of them."""

    local: time
    until: datetime | None


def quiet_at(at: datetime, *, start: int, end: int, zone: str) -> Quiet:
    """Whether `at` lies in the hours from `start` to before `end` (0 to 23; past midnight if `end` is the smaller one; none if equal).

    An hour that the clock skips in spring is neither quiet nor loud; one that it shows twice in autumn counts as what it is, both times. `zone` is
    a name of the time-zone database.
    """
    place = ZoneInfo(zone)
    local = at.astimezone(place)
    if not _inside(local.hour, start, end):
        return Quiet(local.time(), None)
    return Quiet(local.time(), _end(at, local, start, end, place))


def _inside(hour: int, start: int, end: int) -> bool:
    return start <= hour < end if start <= end else hour >= start or hour < end


def _end(at: datetime, local: datetime, start: int, end: int, place: ZoneInfo) -> datetime | None:
    """The first time after `at` at which the clock shows `end`, or an hour after it where it never shows that, and is outside."""
    for days in range(DAYS_AHEAD):
        day = local.date() + timedelta(days=days)
        for fold in (0, 1):
            # Of an hour that is skipped, fold 0 is the very moment of the jump.
            moment = datetime.combine(day, time(end), tzinfo=place).replace(fold=fold).astimezone(UTC)
            if moment > at and not _inside(moment.astimezone(place).hour, start, end):
                return moment
    return None
