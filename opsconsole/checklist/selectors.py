"""Reads of the checklist: today as it is now, and the days before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from monitoring.day import trading_date, zone
from opsconsole.checklist import lines
from opsconsole.checklist.choices import Progress
from opsconsole.checklist.due import Schedule
from opsconsole.checklist.lines import Line
from opsconsole.checklist.models import ChecklistDay, ChecklistRule

# A review that is older does not say where to begin; then the night is as long as this.
REVIEWED = timedelta(days=7)
NIGHT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Today:
    """The trading day at `now`. `row`: once it was signed off or told of. `due`: None when it is not asked for."""

    now: datetime
    day: date
    due: datetime | None
    row: ChecklistDay | None
    schedule: Schedule

    @property
    def signed(self) -> bool:
        return self.row is not None and self.row.signed_at is not None

    @property
    def progress(self) -> Progress:
        if self.signed:
            return Progress.SIGNED
        if self.due is None:
            return Progress.NOT_ASKED
        return Progress.OVERDUE if self.due <= self.now else Progress.OPEN

    @property
    def wanted(self) -> bool:
        """Whether somebody is to sign it off."""
        return self.progress in (Progress.OPEN, Progress.OVERDUE)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """All lines as they are now."""

    lines: Sequence[Line]

    @property
    def not_green(self) -> list[Line]:
        return [line for line in self.lines if not line.green]

    @property
    def green(self) -> int:
        return len(self.lines) - len(self.not_green)

    @property
    def seen(self) -> str:
        """What somebody who looks at it sees, for the service to compare: `health=green,alerts=red,…`."""
        return ",".join(f"{line.key}={line.verdict}" for line in self.lines)

    @property
    def left(self) -> str:
        """What is not green, within a sentence: `cache hit rate, AI cost of the day`."""
        titles = [line.title for line in self.not_green]
        return ", ".join(one if one[1].isupper() else one[0].lower() + one[1:] for one in titles)


def today(*, now: datetime | None = None) -> Today:
    """Two queries."""
    moment = now or timezone.now()
    return today_by(ChecklistRule.objects.get(pk=1), now=moment)


def today_by(rule: ChecklistRule, *, now: datetime) -> Today:
    day, schedule = trading_date(now), schedule_of(rule)
    row = ChecklistDay.objects.filter(day=day).first()
    return Today(now, day, schedule.due(day) if rule.enabled else None, row, schedule)


def schedule_of(rule: ChecklistRule) -> Schedule:
    return Schedule(rule.by, ZoneInfo(rule.zone) if rule.zone else zone(), rule.days)


def evaluated(*, now: datetime | None = None) -> Evaluated:
    moment = now or timezone.now()
    last = (
        ChecklistDay.objects.filter(day__lt=trading_date(moment), signed_at__gt=moment - REVIEWED)
        .order_by("-day")
        .values_list("signed_at", flat=True)
        .first()
    )
    percent = ChecklistRule.objects.values_list("cache_hit_pct", flat=True).get(pk=1)
    return Evaluated(lines.evaluated(now=moment, reviewed=last or moment - NIGHT, cache_hit_pct=percent))


def history(*, limit: int, before: date | None = None) -> tuple[list[ChecklistDay], date | None]:
    """The newest days that were signed off or told of, and the `before` of the next page (None: there is none)."""
    rows = ChecklistDay.objects.order_by("-day")
    if before is not None:
        rows = rows.filter(day__lt=before)
    found = list(rows[: limit + 1])
    return found[:limit], found[limit - 1].day if len(found) > limit else None
