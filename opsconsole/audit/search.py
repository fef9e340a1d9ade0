"""The audit page's reads, quick at a million events: each is a walk along an index, newest first, never a count or an offset.

Actions and actors are few beside the events. So words are matched against the distinct actions and actors (found by skipping
along their indexes), and then the newest events of each match are taken.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest

from django.db import connection
from django.db.models import QuerySet

from opsconsole.audit.models import AuditEvent
from opsconsole.paging import id_in

# Distinct actions, or actors, that are looked through; and matches that are followed.
DISTINCT = 1000
MATCHES = 24
# An event is written within so long of the time it bears, so that times can bound ids.
SLACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked for; empty means any. `words`: part of an action or actor, `type:id` of an object, or an event's number."""

    words: str = ""
    actor: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before_id: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`next_id`: pass it as `before_id` for older events; None on the last page."""

    events: list[AuditEvent]
    next_id: int | None


def newest(limit: int) -> list[AuditEvent]:
    return list(AuditEvent.objects.order_by("-id")[:limit])


def page(query: Query, *, limit: int) -> Page:
    """The newest events that match, older than `before_id`."""
    rows = _filtered(query)
    if not query.words:
        found = list(rows[: limit + 1])
    else:
        by_id = {event.pk: event for part in _matching(rows, query.words) for event in part[: limit + 1]}
        found = nlargest(limit + 1, by_id.values(), key=lambda event: event.pk)
    return Page(events=found[:limit], next_id=found[limit - 1].pk if len(found) > limit else None)


def actions() -> list[str]:
    """Every action that was ever recorded, in order."""
    return _distinct("action")


def actors() -> list[str]:
    return _distinct("actor_name")


def _filtered(query: Query) -> QuerySet[AuditEvent]:
    rows = AuditEvent.objects.order_by("-id")
    if query.actor:
        rows = rows.filter(actor_name=query.actor)
    if query.action:
        rows = rows.filter(action=query.action)
    if query.before_id is not None:
        rows = rows.filter(pk__lt=query.before_id)
    if query.since is not None:
        rows = rows.filter(at__gte=query.since, pk__gte=_first_id(query.since - SLACK))
    if query.until is not None:
        rows = rows.filter(at__lt=query.until, pk__lt=_first_id(query.until + SLACK))
    return rows


def _first_id(when: datetime) -> int:
    """The id of the first event at or after `when`; beyond every id when there is none."""
    first = AuditEvent.objects.filter(at__gte=when).order_by("at", "id").values_list("id", flat=True).first()
    return first if first is not None else 2**63 - 1


def _matching(rows: QuerySet[AuditEvent], words: str) -> list[QuerySet[AuditEvent]]:
    needle = words.casefold()
    parts = [rows.filter(action=name) for name in actions() if needle in name.casefold()][:MATCHES]
    parts += [rows.filter(actor_name=name) for name in actors() if needle in name.casefold()][:MATCHES]
    if (pk := id_in(words.removeprefix("#").replace(",", ""))) is not None:
        parts.append(rows.filter(pk=pk))
    kind, _, key = words.partition(":")
    if key:
        parts.append(rows.filter(object_type=kind, object_id=key))
    return parts


def _distinct(column: str) -> list[str]:
    """The distinct values of an indexed column, by jumping from each to the next instead of reading them all."""
    quote = connection.ops.quote_name
    table, name = quote(AuditEvent._meta.db_table), quote(column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE jump(value) AS ((SELECT min({name}) FROM {table}) UNION ALL "  # noqa: S608  names of the model, quoted
            f"SELECT (SELECT min({name}) FROM {table} WHERE {name} > value) FROM jump WHERE value IS NOT NULL) "
            "SELECT value FROM jump WHERE value IS NOT NULL LIMIT %s",
            [DISTINCT],
        )
        return [row[0] for row in cursor.fetchall()]
