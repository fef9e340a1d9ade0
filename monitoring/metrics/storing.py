"""What one batch writes. All of it in the batch's transaction, under the client's lock."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from django.db import connection

from monitoring.metrics.batches import Fault
from monitoring.metrics.checking import Change, Ident
from monitoring.metrics.known import labels_of
from opsconsole.live.publish import CHANNEL, announcement

# Any number that nothing else uses, beside the client's.
LOCK = 7301846
# On the bus, when a batch is committed.
TOPIC = "metrics"

# The server ends a session that holds the lock and says nothing for so long (its process is suspended, or its network gone) …
IDLE_MS = 10_000
# … and others wait a little longer than that for it.
WAIT_MS = 15_000

# Series belong to one client each, so that batches under this lock never wait for each other's rows in different orders.
# Statements are few, for each is a way to the server and back while the next batch waits.
NEW_BATCH = """
WITH locked AS MATERIALIZED (
    SELECT set_config('idle_in_transaction_session_timeout', %(idle)s, true), set_config('lock_timeout', %(wait)s, true),
        pg_advisory_xact_lock(%(lock)s, hashtext(%(client)s))
)
INSERT INTO monitoring_batch (id, client, received_at, accepted, rejected)
SELECT %(id)s, %(client)s, %(now)s, %(accepted)s, %(rejected)s::jsonb FROM locked ON CONFLICT (id) DO NOTHING
"""
BATCH = "SELECT client, accepted, rejected::text FROM monitoring_batch WHERE id = %s"
EXISTING = "SELECT key::text FROM monitoring_series WHERE key = ANY(%s::uuid[])"
COUNT = "SELECT name, count(*) FROM monitoring_series WHERE client = %s AND name = ANY(%s) GROUP BY name"
NEW_SERIES = """
INSERT INTO monitoring_series (key, name, client, labels, value, count, first_at, at, received_at)
SELECT key, name, %(client)s, labels, 0, 0, %(at)s, %(at)s, %(now)s
FROM unnest(%(keys)s::uuid[], %(names)s::text[], %(labels)s::jsonb[]) AS new (key, name, labels) ORDER BY key
ON CONFLICT (key) DO NOTHING
"""
# Two arrays added number by number; a longer one keeps its end.
ADDED = """(
    SELECT array_agg(coalesce(a, 0) + coalesce(b, 0) ORDER BY n) FROM unnest({}, {}) WITH ORDINALITY AS both_ (a, b, n)
)"""
# `before`: when the client had the value that is there. Within one minute an older value does not replace a newer one; over several minutes
# the minute's newest is the one that came last, for a client sends in order.
_ADD = """
WITH pushed AS MATERIALIZED (
    SELECT s.id, s.at AS before, p.total, p.count, p.low, p.high, p.last, p.buckets::bigint[] AS buckets
    FROM unnest(%(keys)s::uuid[], %(totals)s::float8[], %(counts)s::bigint[], %(lows)s::float8[], %(highs)s::float8[], %(lasts)s::float8[],
        %(buckets)s::text[]) AS p (key, total, count, low, high, last, buckets)
    JOIN monitoring_series s ON s.key = p.key
), series AS (
    UPDATE monitoring_series s
    SET value = CASE WHEN p.last IS NULL THEN s.value + p.total WHEN s.at > %(at)s THEN s.value ELSE p.last END,
        count = CASE WHEN p.buckets IS NULL THEN s.count ELSE s.count + p.count END,
        buckets = CASE WHEN p.buckets IS NULL THEN s.buckets ELSE SERIES_BUCKETS END,
        at = GREATEST(s.at, %(at)s), received_at = GREATEST(s.received_at, %(now)s)
    FROM pushed p WHERE s.id = p.id
), minutes AS (
    INSERT INTO monitoring_minute AS m (series_id, at, total, count, low, high, last, buckets)
    SELECT id, %(minute)s, total, count, low, high, CASE WHEN before > %(at)s AND before < %(end)s THEN NULL ELSE last END, buckets
    FROM pushed ORDER BY id
    ON CONFLICT (series_id, at) DO UPDATE
    SET total = m.total + EXCLUDED.total, count = m.count + EXCLUDED.count, low = LEAST(m.low, EXCLUDED.low),
        high = GREATEST(m.high, EXCLUDED.high), last = coalesce(EXCLUDED.last, m.last),
        buckets = CASE WHEN EXCLUDED.buckets IS NULL THEN m.buckets ELSE MINUTE_BUCKETS END
)
SELECT count(*), pg_notify(%(channel)s, %(announcement)s) IS NULL FROM pushed
"""
ADD = _ADD.replace("SERIES_BUCKETS", ADDED.format("s.buckets", "p.buckets")).replace(
    "MINUTE_BUCKETS", ADDED.format("m.buckets", "EXCLUDED.buckets")
)


class Stored(NamedTuple):
    """The answer that a batch got."""

    client: str
    accepted: int
    rejected: list[Fault]


class SeriesVanished(Exception):
    """Not every series is there. Nothing may be committed."""


def note_batch(
    batch_id: str, *, client: str, accepted: int, rejected: list[Fault], now: datetime
) -> Stored | None:
    """None: it is noted, and to be counted, under the client's lock. Otherwise it was before, and this was the answer.

    First in the transaction. OperationalError when somebody holds the lock for too long.
    """
    values: dict[str, Any] = {
        "id": batch_id,
        "client": client,
        "now": now,
        "accepted": accepted,
        "rejected": msgspec.json.encode(rejected).decode(),
        "idle": str(IDLE_MS),
        "wait": str(WAIT_MS),
        "lock": LOCK,
    }
    with connection.cursor() as cursor:
        cursor.execute(NEW_BATCH, values)
        if cursor.rowcount:
            return None
        cursor.execute(BATCH, [batch_id])
        found, was_accepted, was_rejected = cursor.fetchone()
    return Stored(found, was_accepted, msgspec.json.decode(was_rejected, type=list[Fault]))


def existing(keys: Iterable[str]) -> set[str]:
    """Those of these series that the database has."""
    with connection.cursor() as cursor:
        cursor.execute(EXISTING, [list(keys)])
        return {key for (key,) in cursor.fetchall()}


def count_series(client: str, names: Iterable[str]) -> dict[str, int]:
    """How many series of each of these metrics the client has."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [client, list(names)])
        return dict(cursor.fetchall())


def add_series(new: Mapping[str, Ident], *, client: str, at: datetime, now: datetime) -> None:
    """`new`: by key."""
    idents = new.values()
    values: dict[str, Any] = {
        "client": client,
        "at": at,
        "now": now,
        "keys": list(new),
        "names": [ident.name for ident in idents],
        "labels": [msgspec.json.encode(labels_of(ident)).decode() for ident in idents],
    }
    with connection.cursor() as cursor:
        cursor.execute(NEW_SERIES, values)


def add(changes: Mapping[str, Change], *, at: datetime, minute: datetime, now: datetime) -> None:
    """Count these, by key, in their series and in their minute, and tell pages of it. Raises SeriesVanished."""
    each = changes.values()
    values: dict[str, Any] = {
        "at": at,
        "minute": minute,
        "end": minute + timedelta(minutes=1),
        "now": now,
        "keys": "{" + ",".join(changes) + "}",
        "totals": _array([change.total for change in each]),
        "counts": _array([change.count for change in each]),
        "lows": _array([change.low for change in each]),
        "highs": _array([change.high for change in each]),
        "lasts": _array([change.last for change in each]),
        "channel": CHANNEL,
        "announcement": announcement(TOPIC),
        "buckets": _arrays([change.buckets for change in each]),
    }
    with connection.cursor() as cursor:
        cursor.execute(ADD, values)
        row = cursor.fetchone()
    if row is None or row[0] != len(changes):
        raise SeriesVanished


def _array(numbers: Sequence[float | None]) -> str:
    """As PostgreSQL writes an array: what psycopg does for any kind of value takes several times as long."""
    return "{" + ",".join(["NULL" if number is None else repr(number) for number in numbers]) + "}"


def _arrays(arrays: Sequence[list[int] | None]) -> str:
    """Arrays of numbers as the texts of an array."""
    return "{" + ",".join(["NULL" if array is None else f'"{_array(array)}"' for array in arrays]) + "}"
