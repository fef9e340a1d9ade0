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
from alerts.tallied import tallied

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

# Each count is a stretch of one index (`delivery_counts`), up to the next moment.
DELIVERIES = """
WITH moments AS (
    SELECT number, start, lead(start, 1, 'infinity') OVER (ORDER BY number) AS until
    FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS m (start, number)
)
SELECT number, name, state, times FROM moments, unnest(%s::text[]) name, unnest(%s::text[]) state, LATERAL (
    SELECT count(*) AS times FROM alerts_delivery d
    WHERE d.channel_name = name AND d.state = state.state AND d.created_at >= start AND d.created_at < until
) counted WHERE times > 0
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
    since = {name: now - length for name, length in WINDOWS.items()}
    starts = {name: moment.replace(second=0, microsecond=0) for name, moment in since.items()}
    counts = dict(zip(WINDOWS, tallied(list(starts.values())), strict=True))
    channels = by_channel(since)
    return {
        name: Window(
            since=start,
            total=counts[name].total(),
            by_category=_by(counts[name], 0, Category.values),
            by_priority=_by(counts[name], 1, Priority.values),
            by_decision=_by(counts[name], 2, Decision.values),
            by_channel=channels[name],
        )
        for name, start in starts.items()
    }


def _by(rows: Mapping[tuple[str, str, str], int], column: int, names: Sequence[str]) -> dict[str, int]:
    """Every name, also those that never occurred."""
    found = dict.fromkeys(names, 0)
    for key, count in rows.items():
        found[key[column]] = found.get(key[column], 0) + count
    return found


def by_channel(since: Mapping[str, datetime]) -> dict[str, dict[str, dict[str, int]]]:
    """For each moment, by its name: deliveries written since then, of every channel that there is; states without any are left out."""
    names = list(Channel.objects.values_list("name", flat=True))
    found: dict[str, dict[str, dict[str, int]]] = {moment: {name: {} for name in names} for moment in since}
    moments = sorted(since, key=lambda moment: since[moment])
    with connection.cursor() as cursor:
        cursor.execute(DELIVERIES, [[since[moment] for moment in moments], names, DeliveryState.values])
        for number, name, state, times in cursor.fetchall():
            # Each row counts up to the next moment: it belongs to all before it.
            for moment in moments[:number]:
                of_channel = found[moment][name]
                of_channel[state] = of_channel.get(state, 0) + times
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
