"""What the noise report counts, read from stored rows. What is counted is what was told: decisions SENT, and incidents that were sent."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import F

from alerts import walks
from alerts.decision import FLAPPING
from alerts.models import Alert, MinuteTally, Silence
from alerts.models.alert import FLEETING, STALE
from opsconsole.audit.choices import ActorKind
from opsconsole.audit.models import AuditEvent

TEN = timedelta(minutes=10)
# A silence that lasts longer has no end that anybody will wait for.
ENDLESS = timedelta(days=90)
# Which ten minutes since 1970 (UTC), the category, and how many.
Ten = tuple[int, str, int]
SETTINGS = ("alertrule", "labelrule", "responsetime", "silence", "channel", "chatlink")


@dataclass(frozen=True, slots=True)
class Kind:
    """A category and title: how often, and who was given the newest incident of it (empty: nobody)."""

    category: str
    title: str
    count: int
    owner: str


@dataclass(frozen=True, slots=True)
class Owned:
    """Incidents that were due: owned by somebody in time, and too late or not at all."""

    in_time: int
    late: int


def number_of(moment: datetime) -> int:
    """Of its ten minutes."""
    return int(moment.timestamp() // TEN.total_seconds())


def first_minute() -> datetime | None:
    """When counting began."""
    return MinuteTally.objects.order_by("minute").values_list("minute", flat=True).first()


def sent_in_tens(since: datetime) -> list[Ten]:
    """Sent in each ten minutes and category; those with none are not there. Of the ten minutes of `since`, from then on."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH edge AS (
                SELECT coalesce(to_timestamp(600 * (max(number) + 1)), '-infinity') AS summed_up,
                       to_timestamp(600 * (%(first)s + 1)) AS first_end
                FROM alerts_tenminutetally
            )
            SELECT number, category, sum(sent)::bigint FROM (
                SELECT number, category, sent FROM alerts_tenminutetally WHERE number > %(first)s
                UNION ALL
                SELECT floor(extract(epoch FROM minute) / 600)::int, category, count FROM alerts_minutetally
                WHERE decision = 'SENT' AND minute >= %(since)s AND minute < (SELECT first_end FROM edge)
                UNION ALL
                SELECT floor(extract(epoch FROM minute) / 600)::int, category, count FROM alerts_minutetally
                WHERE decision = 'SENT' AND minute >= (SELECT greatest(summed_up, first_end) FROM edge)
            ) found GROUP BY 1, 2 ORDER BY 1
            """,
            {"since": since, "first": number_of(since)},
        )
        rows: list[Ten] = cursor.fetchall()
    return rows


def sent_by_priority(since: datetime) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH edge AS (
                SELECT coalesce(max(hour) + interval '1 hour', '-infinity') AS summed_up,
                       date_trunc('hour', %(since)s, 'UTC') + interval '1 hour' AS first_end
                FROM alerts_hourtally WHERE hours = 1
            )
            SELECT priority, sum(count)::bigint FROM (
                SELECT priority, count FROM alerts_hourtally
                WHERE hours = 1 AND decision = 'SENT' AND hour >= (SELECT first_end FROM edge)
                UNION ALL
                SELECT priority, count FROM alerts_minutetally
                WHERE decision = 'SENT' AND minute >= %(since)s AND minute < (SELECT first_end FROM edge)
                UNION ALL
                SELECT priority, count FROM alerts_minutetally
                WHERE decision = 'SENT' AND minute >= (SELECT greatest(summed_up, first_end) FROM edge)
            ) found GROUP BY 1
            """,
            {"since": since},
        )
        return dict(cursor.fetchall())


def sent_by_kind(since: date, *, most: int) -> tuple[list[Kind], int, int]:
    """The kinds sent most often, the number of kinds that were sent at all, and of times that they were."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT category, title, sum(sent)::bigint, count(*) OVER (), sum(sum(sent)) OVER ()::bigint
            FROM alerts_kindtally WHERE day >= %s GROUP BY 1, 2 HAVING sum(sent) > 0
            ORDER BY 3 DESC, 1, 2 LIMIT %s
            """,
            [since, most],
        )
        rows = cursor.fetchall()
    kinds = [(row[0], row[1], row[2]) for row in rows]
    return _with_owners(kinds), rows[0][3] if rows else 0, int(rows[0][4]) if rows else 0


def chattering(since: datetime, *, most: int) -> list[Kind]:
    """Kinds with an incident that was raised three or more times within a minute (alerts.chattering), or that began so often."""
    return _with_owners(
        _counted(
            f"""
            SELECT category, title, count(*) FROM (
                SELECT category, title FROM alerts_alert WHERE id >= %(low)s AND sent_at IS NOT NULL AND chatters
                UNION ALL
                SELECT named.category, named.title FROM alerts_alert third,
                    LATERAL (SELECT category, title FROM alerts_alert WHERE id = third.id OFFSET 0) named
                WHERE third.id >= %(low)s AND third.flaps >= {FLAPPING} AND third.first_at - interval '1 minute' <= (
                    SELECT first_at FROM alerts_alert earlier
                    WHERE earlier.fingerprint = third.fingerprint AND earlier.state = 'RESOLVED' AND earlier.id < third.id
                    ORDER BY earlier.id DESC OFFSET 1 LIMIT 1
                )
            ) found GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT %(most)s
            """,  # noqa: S608  a number of our own
            since,
            most,
        )
    )


def fleeting(since: datetime, *, most: int) -> list[Kind]:
    """Kinds with incidents that were over within FLEETING."""
    return _with_owners(
        _counted(
            f"""
            SELECT category, title, count(*) FROM alerts_alert
            WHERE id >= %(low)s AND sent_at IS NOT NULL AND lasted <= interval '{FLEETING.total_seconds()} s'
            GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT %(most)s
            """,  # noqa: S608  a number of our own
            since,
            most,
        )
    )


def _counted(sql: str, since: datetime, most: int) -> list[tuple[str, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"low": walks.id_at(since), "most": most})
        rows: list[tuple[str, str, int]] = cursor.fetchall()
    return rows


def _with_owners(kinds: list[tuple[str, str, int]]) -> list[Kind]:
    owners = {}
    for _, title, _ in kinds:
        rows = Alert.objects.filter(title=title).order_by("-pk").values_list("assignee__username", flat=True)
        owners[title] = rows.first() or ""
    return [Kind(category, title, count, owners[title]) for category, title, count in kinds]


def stale_by_day(since: datetime, *, now: datetime) -> dict[date, int]:
    """How many incidents that were sent had been firing for more than a day, on each day (UTC) on which there were any."""
    over = Alert.objects.filter(pk__gte=walks.id_at(since), sent_at__isnull=False, lasted__gt=STALE)
    still = Alert.objects.filter(state="FIRING", sent_at__isnull=False, first_at__lt=now - STALE)
    found: dict[date, int] = {}
    times = ("first_at", "resolved_at")
    for first_at, resolved_at in over.values_list(*times).union(still.values_list(*times), all=True):
        day, last = max(first_at + STALE, since).date(), (resolved_at or now).date()
        while day <= last:
            found[day] = found.get(day, 0) + 1
            day += timedelta(days=1)
    return found


def owned(since: datetime, *, now: datetime) -> Owned:
    """Of the incidents that were sent and were due by now, unless they ended by themselves before.

    In time: somebody acknowledged it before it was due, or (for what is due at once) before it was escalated.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE taken), count(*) FILTER (WHERE NOT taken) FROM (
                SELECT acknowledged_at IS NOT NULL AND (acknowledged_at <= due_at OR escalation = 0) AS taken FROM alerts_alert
                WHERE id >= %(low)s AND sent_at IS NOT NULL AND due_at <= %(now)s
                  AND (acknowledged_at IS NOT NULL OR resolved_at IS NULL OR resolved_at > due_at)
                  AND (acknowledged_at IS NOT NULL OR escalation > 0)
            ) asked
            """,
            {"low": walks.id_at(since), "now": now},
        )
        in_time, late = cursor.fetchone()
    return Owned(in_time, late)


def endless_silences(now: datetime) -> int:
    """Silences that are in force or to come, and longer than ENDLESS."""
    return Silence.objects.filter(ends_at__gt=now, ends_at__gte=F("starts_at") + ENDLESS).count()


def changed_by_no_one(since: datetime) -> int:
    """Silences without an account behind them, and changes to settings of alerts that went past the console."""
    silences = Silence.objects.filter(created_at__gte=since, owner=None).count()
    types = [f"alerts.{name}" for name in SETTINGS]
    events = AuditEvent.objects.filter(object_type__in=types, at__gte=since, actor_kind=ActorKind.DATABASE)
    return silences + events.count()


def desk_zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)
