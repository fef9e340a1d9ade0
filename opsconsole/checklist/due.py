"""By when the checklist of a day must be signed off. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from opsconsole.checklist.choices import WEEKDAYS
from opsconsole.zones import is_zone


@dataclass(frozen=True, slots=True)
class Schedule:
    """`days`: the weekdays on which it is asked for, Monday is 0."""

    by: time
    zone: ZoneInfo
    days: Sequence[int]

    def due(self, day: date) -> datetime | None:
        """None: it is not asked for on that day."""
        return datetime.combine(day, self.by, tzinfo=self.zone) if day.weekday() in self.days else None

    @property
    def words(self) -> str:
        """`Monday to Friday by 09:30`, `Monday, Friday by 09:30`."""
        days = sorted(self.days)
        if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
            named = f"{WEEKDAYS[days[0]]} to {WEEKDAYS[days[-1]]}"
        else:
            named = ", ".join(WEEKDAYS[day] for day in days) or "Never"
        return f"{named} by {self.by:%H:%M}"


def problems(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the rule's values, by field; each says what is allowed."""
    found = {}
    if not isinstance(values["by"], time):
        found["by"] = "must be a time such as 09:30"
    days = values["days"]
    if not isinstance(days, list) or not set(days) <= set(range(7)) or len(set(days)) != len(days):
        found["days"] = "must list weekdays from 0 (Monday) to 6, each once"
    percent = values["cache_hit_pct"]
    if not isinstance(percent, int | float) or isinstance(percent, bool) or not 0 <= percent < 100:
        found["cache_hit_pct"] = "must be a number from 0 to just below 100"
    if not is_zone(values["zone"]):
        found["zone"] = "must be empty or the name of a time zone, such as America/New_York"
    return found
