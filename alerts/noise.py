"""How noisy the alerts are: the figures of alarm quality (ISA-18.2-2016, EEMUA 191, Google SRE, guide 8.3) beside their targets.

All are of the whole desk over 30 days, as if one person were on duty. What there is too little data for is unknown, with its reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from alerts import noise_rows as rows
from alerts.choices import Priority
from alerts.models import AlertRule
from alerts.noise_figures import Figure, figure
from alerts.statistics import Kind, never_acted_on

DAYS = 30
# In one ten minutes: more than FLOOD begins a flood, less than CALM ends it.
FLOOD, CALM = 10, 5
# So many kinds of alert make a share of the ten most frequent mean something.
KINDS_FOR_SHARE = 50
RANKED, LISTED = 10, 50
LEAST = timedelta(days=1)
# Two shifts a day; the quiet hours of a night lie in one of them.
SHIFT_BEGINS = 7
# Upper ends of the histogram's bars; the last one has none.
BARS = (0, 1, 2, 5, 10, 20)
NOTHING_SENT = "no alert was sent"


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
    first, earliest = rows.first_minute(), moment - timedelta(days=DAYS)
    since = max(first, earliest) if first is not None else None
    start = since or moment
    tens = rows.sent_in_tens(start)
    periods = counted_periods(tens, since=start, now=moment)
    ranking, kinds, sent = rows.sent_by_kind(earliest.date(), most=RANKED)
    chatter, fleet = rows.chattering(start, most=LISTED), rows.fleeting(start, most=LISTED)
    unused = never_acted_on(now=moment)
    short, woken = (
        too_short(moment - start),
        most_woken(tens, list(AlertRule.objects.all()), rows.desk_zone()),
    )
    figures = [
        *_of_periods(periods, short),
        _top_ten(ranking, kinds, sent),
        figure("chattering", len(chatter)),
        figure("fleeting", len(fleet)),
        figure("stale", max(rows.stale_by_day(start, now=moment).values(), default=0)),
        *_shares(rows.sent_by_priority(start), short),
        figure("endless_silences", rows.endless_silences(moment)),
        figure("by_no_one", rows.changed_by_no_one(start)),
        _owned(rows.owned(start, now=moment)),
        figure(
            "never_acted",
            len(unused),
            unknown=too_short(moment - start, least=timedelta(days=DAYS) - rows.TEN),
        ),
        figure("woken", woken, unknown=short),
    ]
    return Noise(moment, since, figures, histogram(periods), ranking, chatter, fleet, unused)


def too_short(data: timedelta, *, least: timedelta = LEAST) -> str:
    """`only 12 days of data`; empty where there is enough."""
    if data >= least:
        return ""
    minutes = int(data.total_seconds() // 60)
    if minutes < 60:
        count, unit = minutes, "minute"
    else:
        count, unit = (minutes // 1440, "day") if minutes >= 1440 else (minutes // 60, "hour")
    return f"only {count} {unit}{'' if count == 1 else 's'} of data"


def counted_periods(tens: Sequence[rows.Ten], *, since: datetime, now: datetime) -> list[int]:
    """Alerts in each ten minutes from `since` to `now`, those with none included."""
    counts: dict[int, int] = {}
    for number, _, count in tens:
        counts[number] = counts.get(number, 0) + count
    return [counts.get(number, 0) for number in range(rows.number_of(since), rows.number_of(now) + 1)]


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


def most_woken(tens: Sequence[rows.Ten], rules: Sequence[AlertRule], desk: ZoneInfo) -> int:
    """The most alerts sent in the quiet hours of their category within one 12-hour shift, which begins at 7 or 19 o'clock."""
    by_category = {rule.category: rule for rule in rules}
    local = _LocalTimes()
    shifts: dict[tuple[date, bool], int] = {}
    for number, category, count in tens:
        rule = by_category.get(category)
        if rule is None or not _is_quiet(rule, local.at(number, rule.time_zone or desk.key).hour):
            continue
        begun = local.at(number, desk.key) - timedelta(hours=SHIFT_BEGINS)
        shift = (begun.date(), begun.hour >= 12)
        shifts[shift] = shifts.get(shift, 0) + count
    return max(shifts.values(), default=0)


class _LocalTimes:
    """When ten minutes begin, by the clocks of zones. Each is worked out once: a month has 4,320 of them, in every category."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], datetime] = {}

    def at(self, number: int, zone: str) -> datetime:
        if (number, zone) not in self._known:
            moment = number * rows.TEN.total_seconds()
            self._known[number, zone] = datetime.fromtimestamp(moment, ZoneInfo(zone))
        return self._known[number, zone]


def _is_quiet(rule: AlertRule, hour: int) -> bool:
    if rule.quiet_start <= rule.quiet_end:
        return rule.quiet_start <= hour < rule.quiet_end
    return hour >= rule.quiet_start or hour < rule.quiet_end


def _of_periods(periods: Sequence[int], short: str) -> Iterator[Figure]:
    busy = sum(1 for count in periods if count > FLOOD)
    yield figure("rate", sum(periods) / len(periods), unknown=short)
    yield figure("busy", 100 * busy / len(periods), unknown=short)
    yield figure("busiest", max(periods))
    yield figure("flood", 100 * in_flood(periods) / len(periods), unknown=short)


def _top_ten(ranking: Sequence[rows.Kind], kinds: int, sent: int) -> Figure:
    if not sent:
        return figure("top_ten", None, unknown=NOTHING_SENT)
    few = f"only {kinds} kinds of alert: see the ranking" if kinds < KINDS_FOR_SHARE else ""
    return figure("top_ten", 100 * sum(kind.count for kind in ranking) / sent, unknown=few)


def _shares(sent: Mapping[str, int], short: str) -> Iterator[Figure]:
    total = sum(sent.values())
    for priority in Priority:
        value = 100 * sent.get(priority, 0) / total if total else None
        yield figure(f"share_{priority.lower()}", value, unknown=short if total else NOTHING_SENT)


def _owned(counts: rows.Owned) -> Figure:
    asked = counts.in_time + counts.late
    value = 100 * counts.in_time / asked if asked else None
    return figure("owned", value, unknown="" if asked else "no alert has been due")
