"""When the next drill is due. Pure: no database, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from killswitch.choices import Every
from opsconsole.zones import is_zone

# A day that every month has.
LAST_DAY = 28
MOST_DAYS = 366
MOST_REMIND_DAYS = 28


@dataclass(frozen=True, slots=True)
class Schedule:
    """MONTH: one drill in each calendar month, by `day` of it. DAYS: so many `days` after the one before. Each time at `at` in `zone`."""

    every: Every
    day: int
    days: int
    at: time
    zone: ZoneInfo

    def after(self, last: datetime) -> datetime:
        """When the drill that follows the one of `last` is due."""
        ran = last.astimezone(self.zone).date()
        if self.every == Every.DAYS:
            return self._moment(ran + timedelta(days=self.days))
        return self._moment(_next_month(ran).replace(day=self.day))

    def first(self, since: datetime) -> datetime:
        """When the very first is due, of a console that is there since `since`."""
        if self.every == Every.DAYS:
            return self.after(since)
        day = since.astimezone(self.zone).date()
        found = self._moment(day.replace(day=self.day))
        return found if found > since else self._moment(_next_month(day).replace(day=self.day))

    @property
    def words(self) -> str:
        """`once a month, by day 15, 10:00`."""
        if self.every == Every.DAYS:
            days = "every day" if self.days == 1 else f"every {self.days} days"
            return f"{days}, by {self.at:%H:%M}"
        return f"once a month, by day {self.day}, {self.at:%H:%M}"

    def _moment(self, day: date) -> datetime:
        return datetime.combine(day, self.at, tzinfo=self.zone)


def _next_month(day: date) -> date:
    """Some day of the month after."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def problems(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the rule's values, by field; each says what is allowed."""
    found = {}
    for name, most in (("day", LAST_DAY), ("days", MOST_DAYS)):
        if not _is_whole(values[name], 1, most):
            found[name] = f"must be a whole number from 1 to {most}"
    if not _is_whole(values["remind_days"], 0, MOST_REMIND_DAYS):
        found["remind_days"] = f"must be a whole number from 0 to {MOST_REMIND_DAYS}"
    if values["every"] not in Every.values:
        found["every"] = f"must be one of {', '.join(Every.values)}"
    if not isinstance(values["at"], time):
        found["at"] = "must be a time such as 10:00"
    if not is_zone(values["zone"]):
        found["zone"] = "must be empty or the name of a time zone, such as America/New_York"
    return found


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
