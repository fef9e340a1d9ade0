"""How many alerts, of what, and what became of them. Read from tallies, so that it costs the same at a million alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.db.models import Max, Q, Sum
from django.utils import timezone

from alerts import walks
from alerts.choices import Category, Decision, DeliveryState, Priority
from alerts.decision import FLAPPING
from alerts.models import Alert, Channel, KindTally
from alerts.response import overdue

WINDOWS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
TALKERS = 10
TALKERS_DAYS = 7
NEVER_ACTED_DAYS = 30
LISTED = 50
FLAPPING_COLUMNS = (
    "fingerprint",
    "category",
    "priority",
    "title",
    "labels",
    "flaps",
    "state",
    "first_at",
    "last_at",
)

# From `start` to the first whole hour by minutes, to the first day by hours, then days, hours, minutes; each as far as they are summed up.
TALLIED = """
WITH edge AS (
    SELECT %(hour)s::timestamptz AS hour, %(day)s::timestamptz AS day,
           greatest(%(hour)s, (SELECT max(hour) + interval '1 hour' FROM alerts_hourtally WHERE hours = 1)) AS hours_end,
           greatest(%(day)s, (SELECT max(hour) + interval '1 day' FROM alerts_hourtally WHERE hours = 24)) AS days_end
), found AS (
    SELECT category, priority, decision, count FROM alerts_minutetally, edge WHERE minute >= %(start)s AND minute < edge.hour
    UNION ALL
    SELECT category, priority, decision, count FROM alerts_hourtally t, edge
    WHERE hours = 1 AND t.hour >= edge.hour AND t.hour < least(edge.day, hours_end)
    UNION ALL
    SELECT category, priority, decision, count FROM alerts_hourtally t, edge
    WHERE hours = 24 AND t.hour >= edge.day AND t.hour < days_end
    UNION ALL
    SELECT category, priority, decision, count FROM alerts_hourtally t, edge
    WHERE hours = 1 AND t.hour >= days_end AND t.hour < hours_end
    UNION ALL
    SELECT category, priority, decision, count FROM alerts_minutetally, edge WHERE minute >= hours_end
)
SELECT category, priority, decision, sum(count)::bigint FROM found GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Window:
    """Times raised since `since` (a whole minute), whatever was decided, by each of three columns; and what channels made of it.

    `by_channel`: deliveries written since then, by channel and state, such as `{"desk": {"SENT": 12, "DEAD": 1}}`.
    """

    since: datetime
    total: int
    by_category: dict[str, int]
    by_priority: dict[str, int]
    by_decision: dict[str, int]
    by_channel: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A category and title: times raised and sent, and acts of people on it, within the days asked for (UTC)."""

    category: str
    title: str
    raised: int
    sent: int
    acted: int
    last_day: date


@dataclass(frozen=True, slots=True)
class Statistics:
    """`flapping`: see `flapping()`; `overdue`: how many, up to `walks.WINDOW`."""

    at: datetime
    windows: dict[str, Window]
    top_talkers: list[Kind]
    flapping: list[Alert]
    never_acted_on: list[Kind]
    overdue: int


def statistics(*, now: datetime | None = None) -> Statistics:
    """The last hour, day and week. Talkers and what nobody acted on are by whole UTC days, today included."""
    moment = now or timezone.now()
    return Statistics(
        at=moment,
        windows=windows(now=moment),
        top_talkers=top_talkers(now=moment),
        flapping=flapping(now=moment),
        never_acted_on=never_acted_on(now=moment),
        overdue=count_overdue(now=moment),
    )


def windows(*, now: datetime) -> dict[str, Window]:
    return {name: _window(now - length) for name, length in WINDOWS.items()}


def _window(since: datetime) -> Window:
    start = since.replace(second=0, microsecond=0)
    rows = tallied(start)
    return Window(
        since=start,
        total=sum(rows.values()),
        by_category=_by(rows, 0, Category.values),
        by_priority=_by(rows, 1, Priority.values),
        by_decision=_by(rows, 2, Decision.values),
        by_channel=by_channel(since),
    )


def tallied(start: datetime) -> Mapping[tuple[str, str, str], int]:
    """Times raised since the whole minute `start`, by category, priority and decision.

    Whole days and hours that are summed up are read so; what lies before and after them hour by hour, and minute by minute.
    """
    with connection.cursor() as cursor:
        cursor.execute(TALLIED, {"start": start, "hour": _next(start, 3600), "day": _next(start, 86_400)})
        return {(row[0], row[1], row[2]): row[3] for row in cursor.fetchall()}


def _next(moment: datetime, seconds: int) -> datetime:
    """The next whole hour or day (UTC), which may be `moment` itself."""
    return datetime.fromtimestamp(-(-moment.timestamp() // seconds) * seconds, UTC)


def _by(rows: Mapping[tuple[str, str, str], int], column: int, names: Sequence[str]) -> dict[str, int]:
    """Every name, also those that never occurred."""
    found = dict.fromkeys(names, 0)
    for key, count in rows.items():
        found[key[column]] = found.get(key[column], 0) + count
    return found


def by_channel(since: datetime) -> dict[str, dict[str, int]]:
    """Deliveries written since then, of every channel that there is; states without any are left out."""
    names = list(Channel.objects.values_list("name", flat=True))
    found: dict[str, dict[str, int]] = {name: {} for name in names}
    with connection.cursor() as cursor:
        # Each count is a stretch of one index (`delivery_counts`).
        cursor.execute(
            """
            SELECT name, state, counted.times FROM unnest(%s::text[]) name, unnest(%s::text[]) state, LATERAL (
                SELECT count(*) AS times FROM alerts_delivery d
                WHERE d.channel_name = name AND d.state = state.state AND d.created_at >= %s
            ) counted WHERE counted.times > 0
            """,
            [names, DeliveryState.values, since],
        )
        for name, state, times in cursor.fetchall():
            found[name][state] = times
    return found


def top_talkers(*, now: datetime, most: int = TALKERS) -> list[Kind]:
    """The kinds raised most often."""
    return _kinds(Q(day__gt=_day(now, TALKERS_DAYS)), "-times_raised", most=most)


def never_acted_on(*, now: datetime, most: int = LISTED) -> list[Kind]:
    """Kinds that were sent within 30 days, and that nobody acknowledged, assigned, silenced or resolved: do we need them?"""
    telling = Q(sent__gt=0) | Q(acted__gt=0)
    return _kinds(
        telling & Q(day__gt=_day(now, NEVER_ACTED_DAYS)),
        "-times_sent",
        having=Q(acts=0, times_sent__gt=0),
        most=most,
    )


def _kinds(condition: Q, order: str, *, most: int, having: Q | None = None) -> list[Kind]:
    sums = {
        "times_raised": Sum("raised"),
        "times_sent": Sum("sent"),
        "acts": Sum("acted"),
        "last": Max("day"),
    }
    rows = KindTally.objects.filter(condition).values("category", "title").annotate(**sums)
    found = rows.filter(having or Q()).order_by(order, "category", "title")
    return [Kind(*row) for row in found.values_list("category", "title", *sums)[:most]]


def _day(now: datetime, days: int) -> date:
    """The day before the first of `days` days that end today, in UTC."""
    return now.astimezone(UTC).date() - timedelta(days=days)


def flapping(*, now: datetime, most: int = LISTED) -> list[Alert]:
    """The newest incident of each fingerprint that began within a day and after FLAPPING others of it had ended."""
    a_day_ago = now - timedelta(days=1)
    since = walks.id_at(a_day_ago - walks.SLACK)
    rows = Alert.objects.filter(flaps__gte=FLAPPING, pk__gte=since, first_at__gte=a_day_ago).order_by("-pk")
    found: dict[object, Alert] = {}
    for alert in rows.only(*FLAPPING_COLUMNS)[: most * 4]:
        found.setdefault(alert.fingerprint, alert)
    return list(found.values())[:most]


def count_overdue(*, now: datetime) -> int:
    """Alerts that somebody should own by now. Counts up to `walks.WINDOW`."""
    return Alert.objects.filter(overdue(now)).values("pk")[: walks.WINDOW].count()
