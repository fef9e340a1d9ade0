"""How noisy the alerts are: the figures of alarm quality (ISA-18.2-2016, EEMUA 191, Google SRE, guide 8.3) beside their targets.

All are of the whole desk over 30 days, as if one person were on duty. What there is too little data for is unknown, with its reason.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from alerts import noise_rows as rows
from alerts.choices import Priority
from alerts.models import AlertRule
from alerts.statistics import Kind, never_acted_on

DAYS = 30
TEN = timedelta(minutes=10)
# In one ten minutes: more than FLOOD begins a flood, less than CALM ends it.
FLOOD, CALM = 10, 5
# So many kinds of alert make a share of the ten most frequent mean something.
KINDS_FOR_SHARE = 50
LISTED = 10
LEAST = timedelta(days=1)
# Two shifts a day; the quiet hours of a night lie in one of them.
SHIFT_BEGINS = 7
# Upper ends of the histogram's bars; the last one has none.
BARS = (0, 1, 2, 5, 10, 20)
PRIORITY_TARGETS = {Priority.LOW: 80, Priority.MEDIUM: 15, Priority.HIGH: 5, Priority.CRITICAL: 1}
GOOD, WATCH, ACT, UNKNOWN = "good", "watch", "act", "unknown"


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` None: unknown, and `reason` says why. `verdict`: `good`, `watch` (between target and limit), `act` or `unknown`."""

    key: str
    name: str
    value: float | None
    unit: str
    target: str
    act_when: str
    verdict: str
    source: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """Ten-minute periods with at least `least` and at most `most` alerts (None: no upper end)."""

    least: int
    most: int | None
    periods: int


@dataclass(frozen=True, slots=True)
class Noise:
    """`since`: where the data begins, at most 30 days ago; None: nothing was ever raised."""

    at: datetime
    since: datetime | None
    figures: list[Figure]
    histogram: list[Bar]
    ranking: list[rows.Kind]
    chattering: list[rows.Kind]
    fleeting: list[rows.Kind]
    never_acted_on: list[Kind]


def noise(*, now: datetime | None = None) -> Noise:
    moment = now or timezone.now()
    began = rows.first_minute()
    since = max(began, moment - timedelta(days=DAYS)) if began is not None else None
    start = since or moment
    data = moment - start
    tens = rows.sent_in_tens(start)
    periods = counted_periods(tens, since=start, now=moment)
    ranking, kinds, sent = rows.sent_by_kind((moment - timedelta(days=DAYS)).date(), most=LISTED)
    chatter, fleet = rows.chattering(start, most=LISTED), rows.fleeting(start, most=LISTED)
    unused = never_acted_on(now=moment)
    figures = [
        *_of_periods(periods, data),
        _top_share(ranking, kinds, sent, data),
        _none("chattering", "Kinds that chatter: 3 or more times in a minute", len(chatter), "kinds", "ISA-18.2, exida"),
        _none("fleeting", "Kinds that are fleeting: gone in 10 seconds", len(fleet), "kinds", "ISA-18.2, exida"),
        _stale(max(rows.stale_by_day(start, now=moment).values(), default=0)),
        *_priorities(rows.sent_by_priority(start), data),
        _none("endless_silences", "Silences of more than 90 days", rows.endless_silences(moment), "silences", "ISA-18.2 16.5"),
        _none("by_no_one", "Silenced or changed by no one known", rows.changed_by_no_one(start), "times", "ISA-18.2 16.5"),
        _owned(rows.owned(start, now=moment)),
        _never_acted(len(unused), data),
        _woken(most_woken(tens, rules=list(AlertRule.objects.all()), desk=rows.desk_zone()), data),
    ]
    return Noise(moment, since, figures, histogram(periods), ranking, chatter, fleet, unused)


# Counting


def counted_periods(
    tens: Sequence[tuple[datetime, str, int]], *, since: datetime, now: datetime
) -> list[int]:
    """Alerts in each ten minutes from `since` to `now`, those with none included."""
    counts: dict[int, int] = {}
    for start, _, count in tens:
        counts[_ten(start)] = counts.get(_ten(start), 0) + count
    return [counts.get(number, 0) for number in range(_ten(since), _ten(now) + 1)]


def _ten(moment: datetime) -> int:
    return int(moment.timestamp() // TEN.total_seconds())


def in_flood(periods: Sequence[int]) -> int:
    """How many of the periods belong to a flood."""
    flood, found = False, 0
    for count in periods:
        flood = count > FLOOD or (flood and count >= CALM)
        found += flood
    return found


def histogram(periods: Sequence[int]) -> list[Bar]:
    ends: list[int | None] = [*BARS, None]
    bars, least = [], 0
    for most in ends:
        inside = sum(1 for count in periods if count >= least and (most is None or count <= most))
        bars.append(Bar(least, most, inside))
        least = most + 1 if most is not None else 0
    return bars


def most_woken(
    tens: Sequence[tuple[datetime, str, int]], *, rules: Sequence[AlertRule], desk: ZoneInfo
) -> int:
    """The most alerts that were sent in the quiet hours of their category within one 12-hour shift, which begins at 7 or 19 o'clock."""
    by_category = {rule.category: rule for rule in rules}
    shifts: dict[tuple[date, bool], int] = {}
    for start, category, count in tens:
        rule = by_category.get(category)
        if rule is None or not _is_quiet(rule, start, desk):
            continue
        local = start.astimezone(desk) - timedelta(hours=SHIFT_BEGINS)
        shift = (local.date(), local.hour >= 12)
        shifts[shift] = shifts.get(shift, 0) + count
    return max(shifts.values(), default=0)


def _is_quiet(rule: AlertRule, moment: datetime, desk: ZoneInfo) -> bool:
    hour = moment.astimezone(ZoneInfo(rule.time_zone) if rule.time_zone else desk).hour
    if rule.quiet_start <= rule.quiet_end:
        return rule.quiet_start <= hour < rule.quiet_end
    return hour >= rule.quiet_start or hour < rule.quiet_end


# Judging


def _of_periods(periods: Sequence[int], data: timedelta) -> list[Figure]:
    number = len(periods)
    busy = sum(1 for count in periods if count > FLOOD)
    values = (sum(periods) / number, 100 * busy / number, float(max(periods)), 100 * in_flood(periods) / number)
    isa = "ISA-18.2-2016 table 5"
    made = (
        ("rate", "Alerts per 10 minutes, average", "alerts", "1 or less", "above 2", _below(1, 2)),
        ("busy", "10-minute periods with more than 10 alerts", "%", "under 1%", "above 5%", _under(1, 5)),
        ("busiest", "Most alerts in any 10 minutes", "alerts", "10 or less", "above 10", _below(10, 10)),
        ("flood", "Time in flood", "%", "under 1%", "above 5%", _under(1, 5)),
    )
    return [
        _known(key, name, value, unit, target, act, judge, isa, data)
        for value, (key, name, unit, target, act, judge) in zip(values, made, strict=True)
    ]


def _top_share(ranking: Sequence[rows.Kind], kinds: int, sent: int, data: timedelta) -> Figure:
    top = sum(kind.count for kind in ranking)
    reason = f"only {kinds} kinds of alert; see the ranking" if kinds < KINDS_FOR_SHARE else ""
    name = "Share of the ten most frequent kinds"
    value = 100 * top / sent if sent else None
    return _known("top_ten", name, value, "%", "5% or less", "above 15%", _below(5, 15), "ISA-18.2-2016 table 5", data, reason)


def _priorities(sent: dict[str, int], data: timedelta) -> list[Figure]:
    total = sum(sent.values())
    found = []
    for priority, target in PRIORITY_TARGETS.items():
        value = 100 * sent.get(priority, 0) / total if total else None
        words = "under 1%" if priority is Priority.CRITICAL else f"{target}%"
        reason = "" if total else "no alert was sent"
        judge = _near(target)
        key, name = f"share_{priority.lower()}", f"Share of {priority}"
        found.append(
            _known(key, name, value, "%", words, "off by more than 15 points", judge, "ISA-18.2-2016 table 6", data, reason)
        )
    return found


def _stale(value: int) -> Figure:
    name, source = "Firing for more than 24 hours, most on any day", "ISA-18.2-2016 table 5"
    verdict = GOOD if value < 5 else ACT
    return Figure("stale", name, value, "alerts", "fewer than 5 on any day", "5", verdict, source)


def _none(key: str, name: str, value: int, unit: str, source: str) -> Figure:
    return Figure(key, name, value, unit, "0", "any", GOOD if value == 0 else ACT, source)


def _owned(counts: rows.Owned) -> Figure:
    asked = counts.in_time + counts.late
    value = 100 * counts.in_time / asked if asked else None
    reason = "" if asked else "no alert has been due"
    name = "Acknowledged by the due time"
    return _known("owned", name, value, "%", "95% or more", "below 90%", _above(95, 90), "guide 8.3", LEAST, reason)


def _never_acted(value: int, data: timedelta) -> Figure:
    name = "Kinds that nobody acted on in 30 days"
    reason = f"only {_age(data)} of data" if data < timedelta(days=DAYS, minutes=-10) else ""
    verdict = _below(0, 0)
    return _known("never_acted", name, float(value), "kinds", "listed", "any", verdict, "guide 9.4", LEAST, reason)


def _woken(value: int, data: timedelta) -> Figure:
    name = "Woken per 12-hour shift, most in any"
    return _known("woken", name, float(value), "times", "2 or less", "3", _below(2, 2), "Google SRE", data)


def _known(
    key: str,
    name: str,
    value: float | None,
    unit: str,
    target: str,
    act_when: str,
    judge: Callable[[float], str],
    source: str,
    data: timedelta,
    reason: str = "",
) -> Figure:
    """The figure, or an unknown one where there is a reason, or less than a day of data."""
    reason = reason or (f"only {_age(data)} of data" if data < LEAST else "")
    if reason or value is None:
        return Figure(key, name, None, unit, target, act_when, UNKNOWN, source, reason or "no alert was sent")
    return Figure(key, name, value, unit, target, act_when, judge(value), source)


def _below(target: float, limit: float) -> Callable[[float], str]:
    return lambda value: GOOD if value <= target else ACT if value > limit else WATCH


def _above(target: float, limit: float) -> Callable[[float], str]:
    return lambda value: GOOD if value >= target else ACT if value < limit else WATCH


def _under(target: float, limit: float) -> Callable[[float], str]:
    return lambda value: GOOD if value < target else ACT if value > limit else WATCH


def _near(target: float) -> Callable[[float], str]:
    return lambda value: GOOD if abs(value - target) <= 5 else ACT if abs(value - target) > 15 else WATCH


def _age(data: timedelta) -> str:
    hours = int(data.total_seconds() // 3600)
    count, unit = (hours // 24, "day") if hours >= 24 else (hours, "hour")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
