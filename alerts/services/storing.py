"""Incidents from the database and back, many at a time. All of it under `lock_decisions()`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from alerts.services.incidents import Incident

OPEN = """
SELECT id, fingerprint, category, priority, title, starts_at, first_at, last_at, ends_at, count, flaps, decision, decided_at,
       trace::text AS stored_trace, history::text AS stored_history, repeats, repeated_at, dedupe_until, settled_until, policy, content,
       sent_at, last_sent_at, sent_count, held, forced, sent_directly, acknowledged_at, due_at, escalate_at
FROM alerts_alert WHERE state = 'FIRING' AND
"""
EARLIER = """
SELECT DISTINCT ON (fingerprint) fingerprint, last_sent_at, flaps FROM alerts_alert
WHERE state = 'RESOLVED' AND fingerprint = ANY(%s) AND resolved_at > %s ORDER BY fingerprint, id DESC
"""
IDS = "SELECT nextval('alerts_alert_id_seq') FROM generate_series(1, %s)"
# An assignment of the value that is there already lets PostgreSQL update the row without touching an index (HOT).
COUNT = """
UPDATE alerts_alert a
SET count = t.count, repeats = t.repeats, repeated_at = t.repeated_at, last_at = t.last_at, starts_at = t.starts_at, ends_at = t.ends_at
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
    AS t (id, count, repeats, repeated_at, last_at, starts_at, ends_at)
WHERE a.id = t.id
"""
COUNTED = ("id", "count", "repeats", "repeated_at", "last_at", "starts_at", "ends_at")
CHANGED = {
    "id": "bigint",
    "category": "text",
    "priority": "text",
    "starts_at": "timestamptz",
    "last_at": "timestamptz",
    "ends_at": "timestamptz",
    "count": "bigint",
    "decision": "text",
    "decided_at": "timestamptz",
    "repeats": "bigint",
    "repeated_at": "timestamptz",
    "dedupe_until": "timestamptz",
    "settled_until": "timestamptz",
    "policy": "bigint",
    "content": "bigint",
    "sent_at": "timestamptz",
    "last_sent_at": "timestamptz",
    "sent_count": "integer",
    "held": "boolean",
    "forced": "boolean",
    "sent_directly": "boolean",
    "due_at": "timestamptz",
    "escalate_at": "timestamptz",
    "state": "text",
    "resolved_at": "timestamptz",
    "resolved_by": "text",
}
JSON_CHANGED = {"trace": "stored_trace", "history": "stored_history"}
WORDS = {
    "title": "text",
    "message": "text",
    "labels": "jsonb",
    "annotations": "jsonb",
    "details": "jsonb",
    "generator_url": "text",
}
CHANGE = """
UPDATE alerts_alert a SET {sets}
FROM jsonb_to_recordset(%s::jsonb) AS t ({columns}) WHERE a.id = t.id
""".format(
    sets=", ".join(
        [f"{name} = t.{name}" for name in [*CHANGED, *JSON_CHANGED] if name != "id"]
        + [f"{name} = COALESCE(t.{name}, a.{name})" for name in WORDS]
    ),
    columns=", ".join(
        f"{name} {kind}" for name, kind in (CHANGED | dict.fromkeys(JSON_CHANGED, "jsonb") | WORDS).items()
    ),
)
# As they are in the row of a new incident; what is not among them is constant there.
INSERTED = (*CHANGED, "fingerprint", "first_at", "flaps", "source", "raised_by")
CONSTANT: dict[str, Any] = {
    "resolve_note": "",
    "acknowledged_by": "",
    "acknowledge_note": "",
    "escalation": 0,
}
INSERT = f"COPY alerts_alert ({', '.join([*INSERTED, *JSON_CHANGED, *WORDS, *CONSTANT])}) FROM STDIN"
# When the hour has reached its limit, what was held for the quiet hours would now be held for that.
UNSETTLE = """
UPDATE alerts_alert SET settled_until = NULL
WHERE held AND state = 'FIRING' AND decision = 'QUIET_HOURS' AND settled_until IS NOT NULL AND category = ANY(%s)
"""


class Earlier(NamedTuple):
    """What is left of the incident before."""

    last_sent_at: datetime | None
    flaps: int


def load_open(fingerprints: Sequence[UUID]) -> dict[UUID, Incident]:
    return {
        incident.fingerprint: incident for incident in _load("fingerprint = ANY(%s)", [list(fingerprints)])
    }


def load_by_id(ids: Sequence[int]) -> list[Incident]:
    """Those among these that are open, by their number."""
    return _load("id = ANY(%s) ORDER BY id", [list(ids)])


def load_earlier(fingerprints: Sequence[UUID], *, since: datetime) -> dict[UUID, Earlier]:
    """The newest of the incidents that ended after `since`, for each that has one."""
    with connection.cursor() as cursor:
        cursor.execute(EARLIER, [list(fingerprints), since])
        return {row[0]: Earlier(row[1], row[2]) for row in cursor.fetchall()}


def new_ids(number: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(IDS, [number])
        return [pk for (pk,) in cursor.fetchall()]


def store(incidents: Iterable[Incident], *, full: Iterable[str] = ()) -> None:
    """Write them: those that only counted, those that changed, and then those that are new. `full`: categories that reached their limit."""
    counted, changed, new = _sorted_out(incidents)
    with connection.cursor() as cursor:
        if counted:
            cursor.execute(COUNT, [[getattr(item, name) for item in counted] for name in COUNTED])
        if changed:
            cursor.execute(CHANGE, [msgspec.json.encode([_changed(item) for item in changed]).decode()])
        if reached := list(full):
            cursor.execute(UNSETTLE, [reached])
    if new:
        _insert(new)


def _load(where: str, params: list[Any]) -> list[Incident]:
    with connection.cursor() as cursor:
        cursor.execute(OPEN + where, params)
        names = [column.name for column in cursor.description]
        return [Incident(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def _sorted_out(incidents: Iterable[Incident]) -> tuple[list[Incident], list[Incident], list[Incident]]:
    counted, changed, new = [], [], []
    for incident in incidents:
        if incident.new:
            new.append(incident)
        elif incident.decided or incident.ended or incident.words is not None:
            changed.append(incident)
        else:
            counted.append(incident)
    return counted, changed, new


def _changed(incident: Incident) -> dict[str, Any]:
    row = {name: getattr(incident, name) for name in CHANGED}
    for name, stored in JSON_CHANGED.items():
        row[name] = msgspec.Raw(getattr(incident, stored).encode())
    if incident.words is not None:
        for (name, kind), said in zip(WORDS.items(), incident.words, strict=True):
            row[name] = msgspec.Raw(said.encode()) if kind == "jsonb" else said
    return row


def _insert(incidents: Sequence[Incident]) -> None:
    constant, values = tuple(CONSTANT.values()), attrgetter(*INSERTED, *JSON_CHANGED.values())
    # Django's wrapper passes this on to psycopg's own cursor.
    with connection.cursor() as cursor, cursor.copy(INSERT) as copy:
        for incident in incidents:
            copy.write_row((*values(incident), *(incident.words or ()), *constant))
