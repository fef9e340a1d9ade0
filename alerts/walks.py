"""Walks along an index of the alerts, newest first, that stop after a bounded number of rows. What the lists are made of.

A filter that is an index of its own is walked; what else is asked for is looked at in the rows found. A walk that stopped early has a
horizon: it says nothing about older alerts, and the next page goes on there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

from alerts.choices import AlertState
from alerts.models import Alert

# Rows that one page may look at, and as how many it begins.
WINDOW = 4000
FIRST_LOOK = 250
# Alerts in the order of their ids are in the order of `first_at`, but for those that waited so long for their turn.
SLACK = timedelta(minutes=5)
# Rows of the tally of kinds in which words are looked for, newest days first; and fewer than so many titles are followed.
KINDS = 20_000
TITLES = 100
LAST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Ids from `low` up to, not including, `high`; taken in from `since` up to, not including, `until` (None: any time)."""

    low: int = 0
    high: int = LAST
    since: datetime | None = None
    until: datetime | None = None

    def as_q(self) -> Q:
        found = Q(pk__gte=self.low, pk__lt=self.high)
        if self.since is not None:
            found &= Q(first_at__gte=self.since)
        if self.until is not None:
            found &= Q(first_at__lt=self.until)
        return found


@dataclass(frozen=True, slots=True)
class Walked:
    """Ids, newest first. `horizon`: of smaller ids nothing is known; None: these are all."""

    ids: list[int]
    horizon: int | None = None


def id_at(moment: datetime) -> int:
    """The first id taken in at or after `moment`, by halving; beyond every id when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE step (low, high) AS (
                SELECT min(id), max(id) + 1 FROM alerts_alert
                UNION ALL
                SELECT CASE WHEN probe.at < %(moment)s THEN probe.id + 1 ELSE low END,
                       CASE WHEN probe.at < %(moment)s THEN high ELSE (low + high) / 2 END
                FROM step, LATERAL (
                    SELECT id, first_at AS at FROM alerts_alert WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1
                ) probe
                WHERE low < high
            )
            SELECT low FROM step WHERE low >= high LIMIT 1
            """,
            {"moment": moment},
        )
        row = cursor.fetchone()
    return LAST if row is None else int(row[0])


def range_of(*, before_id: int | None, since: datetime | None, until: datetime | None) -> Range:
    low = 0 if since is None else id_at(since - SLACK)
    high = LAST if until is None else id_at(until + SLACK)
    return Range(low=low, high=min(high, before_id or LAST), since=since, until=until)


def titles_with(words: Sequence[str]) -> list[str] | None:
    """The kinds of alert whose title has all these words, in any case; None: so many that following each is no help."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT title FROM (
                SELECT DISTINCT title FROM (
                    SELECT title FROM alerts_kindtally ORDER BY day DESC, category DESC, title DESC LIMIT %s
                ) newest
            ) kinds WHERE title ILIKE ALL (%s) LIMIT %s
            """,
            [KINDS, [f"%{_escaped(word)}%" for word in words], TITLES],
        )
        titles = [row[0] for row in cursor.fetchall()]
    return titles if len(titles) < TITLES else None


def _escaped(word: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", word)


def along(keys: Mapping[str, Sequence[str]], within: Range, *, most: int) -> Walked:
    """By the index that begins with the columns of `keys`: one walk for each of their values, side by side.

    `keys`: for every column the values of all walks, such as `{"category": ["COST_ALERT", "COST_ALERT"], "priority": ["LOW", "HIGH"]}`.
    """
    quote = connection.ops.quote_name
    columns = [quote(name) for name in keys]
    walks = len(next(iter(keys.values())))
    if not walks:
        return Walked([])
    each = max(1, most // walks)
    same = " AND ".join(f"a.{column} = k.{column}" for column in columns)
    times = "".join(
        f" AND a.first_at {sign} %s"
        for sign, moment in ((">=", within.since), ("<", within.until))
        if moment is not None
    )
    sql = (
        f"SELECT k.walk, found.id FROM unnest({', '.join(['%s::text[]'] * len(columns))}) "  # noqa: S608  columns of the model, quoted
        f"WITH ORDINALITY k ({', '.join(columns)}, walk), LATERAL (SELECT a.id FROM alerts_alert a "
        f"WHERE {same} AND a.id >= %s AND a.id < %s{times} ORDER BY a.id DESC LIMIT %s) found"
    )
    given = [moment for moment in (within.since, within.until) if moment is not None]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*map(list, keys.values()), within.low, within.high, *given, each])
        rows: list[tuple[int, int]] = cursor.fetchall()
    return _side_by_side(rows, each)


def _side_by_side(rows: Sequence[tuple[int, int]], each: int) -> Walked:
    """Of several walks of at most `each` rows: what lies above the end of every one that stopped early."""
    counts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for walk, found in rows:
        counts[walk] = counts.get(walk, 0) + 1
        ends[walk] = min(ends.get(walk, LAST), found)
    horizon = max((ends[walk] for walk, count in counts.items() if count == each), default=None)
    ids = sorted((found for _, found in rows if horizon is None or found >= horizon), reverse=True)
    return Walked(ids, horizon)


def newest(condition: Q, within: Range, *, most: int) -> Walked:
    """Down the ids; `condition` has a partial index, or nearly every alert fulfils it."""
    rows = Alert.objects.filter(condition, within.as_q()).order_by("-pk").values_list("pk", flat=True)
    ids = list(rows[:most])
    return Walked(ids, ids[-1] if len(ids) == most else None)


def labelled(labels: Mapping[str, str], within: Range, *, most: int) -> Walked:
    """Alerts with these labels. Where they are common the newest rows have enough; else the labels' own indexes are asked."""
    wanted = Q(labels__contains=dict(labels))
    recent = newest(Q(), within, most=WINDOW // 2)
    among = [alert.pk for alert in matching(recent.ids, wanted, most=most, columns=("pk",))]
    if len(among) == most:
        return Walked(among, among[-1])
    if recent.horizon is None:
        return Walked(among)
    ids = []
    for state in AlertState:
        rows = Alert.objects.filter(wanted, within.as_q(), state=state).values_list("pk", flat=True)[:WINDOW]
        found = list(rows)
        if len(found) == WINDOW:
            return Walked(among, recent.horizon)
        ids += found
    return Walked(sorted(ids, reverse=True))


def matching(ids: Sequence[int], condition: Q, *, most: int, columns: Sequence[str] = ()) -> list[Alert]:
    """The first `most` of these alerts that fulfil the condition, in the order of `ids`. Looks no further than it has to."""
    found: list[Alert] = []
    start, size = 0, max(FIRST_LOOK, most)
    while start < len(ids) and len(found) < most:
        part = RawSQL("SELECT unnest(%s::bigint[])", [list(ids[start : start + size])])
        rows = Alert.objects.filter(condition, pk__in=part).order_by("-pk")
        rows = rows.only(*columns) if columns else rows.select_related("assignee")
        found += rows[: most - len(found)]
        start, size = start + size, size * 4
    return found


def overdue(condition: Q, within: Range) -> Walked:
    """Few in any sound desk: then all of them, by the index of due times; else the newest alerts, among which the caller looks."""
    rows = Alert.objects.filter(condition, within.as_q()).values_list("pk", flat=True)
    ids = list(rows[:WINDOW])
    return Walked(sorted(ids, reverse=True)) if len(ids) < WINDOW else newest(Q(), within, most=WINDOW)
