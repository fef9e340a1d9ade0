"""A trading feed of three plain tables, made by `TABLES`, so that tests can look at what the hub reports."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection

from opsconsole.live.feeds import (
    LEASE_COVER,
    Acknowledged,
    StreamEnd,
    StreamGrant,
    StreamRefused,
    StreamRequest,
    Told,
)

TABLES = """
CREATE TABLE feed_state (epoch bigint NOT NULL, state jsonb NOT NULL);
INSERT INTO feed_state VALUES (1, '{"switches": [], "drills": [], "commands": []}');
CREATE TABLE feed_client (
    id bigserial PRIMARY KEY, name text UNIQUE NOT NULL, hub text NOT NULL DEFAULT '', opened_at timestamptz, lease_until timestamptz);
CREATE TABLE feed_settled (
    epoch bigint NOT NULL, waited float NOT NULL, own_leases_until timestamptz, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE feed_told (name text NOT NULL, epoch bigint NOT NULL, activation bigint NOT NULL, together int NOT NULL);
"""
TOKEN = "Bearer right"


class TableFeed:
    snapshot_sql = "SELECT epoch, clock_timestamp(), state FROM feed_state"
    topics = frozenset({"state"})

    def open(self, request: StreamRequest) -> StreamGrant:
        if "authorization" not in request.headers:
            raise StreamRefused(401, "not_authenticated", "A token is needed.", {})
        if request.headers["authorization"] != TOKEN:
            raise StreamRefused(403, "permission_denied", "This token may not.", {})
        name = "".join(request.query.get("name", ()))
        if not name:
            raise StreamRefused(400, "bad_request", "name is missing.", {"field": "name"})
        with connection.cursor() as cursor:
            cursor.execute(
                """INSERT INTO feed_client (name, hub, opened_at, lease_until)
                   VALUES (%s, %s, clock_timestamp(), clock_timestamp() + make_interval(secs => %s))
                   ON CONFLICT (name) DO UPDATE
                   SET hub = excluded.hub, opened_at = excluded.opened_at, lease_until = excluded.lease_until
                   RETURNING id, opened_at""",
                [name, request.hub, LEASE_COVER + 0.5],
            )
            client_id, opened_at = cursor.fetchone()
        return StreamGrant(client_id=client_id, key=f"{name}/", label=name, opened_at=opened_at)

    def closed(self, ends: Iterable[StreamEnd], *, hub: str) -> None:
        with connection.cursor() as cursor:
            for end in ends:
                cursor.execute(
                    "UPDATE feed_client SET hub = '', lease_until = %s WHERE id = %s AND hub = %s AND opened_at = %s",
                    [end.lease_until, end.client_id, hub, end.opened_at],
                )

    def touch(self, client_ids: Iterable[int], *, hub: str, lease_until: datetime) -> set[int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE feed_client SET lease_until = %s WHERE id = ANY(%s) AND hub = %s RETURNING id",
                [lease_until, list(client_ids), hub],
            )
            return {row[0] for row in cursor.fetchall()}

    def acknowledge(self, told: Sequence[Told]) -> list[Acknowledged]:
        with connection.cursor() as cursor:
            for item in told:
                cursor.execute(
                    "INSERT INTO feed_told SELECT name, %s, unnest(%s::bigint[]), %s FROM feed_client WHERE id = %s",
                    [item.epoch, list(item.activations), len(told), item.client_id],
                )
        return [Acknowledged(sorted(item.activations), []) for item in told]

    def settle(self, *, epoch: int, waited: float, hub: str, own_leases_until: datetime | None) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO feed_settled (epoch, waited, own_leases_until) VALUES (%s, %s, %s)",
                [epoch, waited, own_leases_until],
            )
        return waited < 0.515
