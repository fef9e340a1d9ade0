"""Trading processes come and go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q

from killswitch import alarms
from killswitch.choices import CommandState
from killswitch.locking import bounded, database_time
from killswitch.models import CommandResult, TradingClient
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.live.feeds import LEASE_COVER, StreamEnd
from opsconsole.live.publish import publish

# A command that a process has not answered after so long has no result.
COMMAND_TIME = timedelta(seconds=60)
# Nobody misses a process that went longer ago.
MISSED = timedelta(days=1)

# Rows in the order of their ids, so that two hubs that change the same ones cannot wait for each other.
TOUCH = """
WITH mine AS (
    SELECT id FROM killswitch_tradingclient WHERE id = ANY(%(ids)s) AND hub = %(hub)s ORDER BY id FOR NO KEY UPDATE
)
UPDATE killswitch_tradingclient c
SET last_seen = %(now)s, lease_until = GREATEST(c.lease_until, %(lease_until)s)
FROM mine WHERE c.id = mine.id RETURNING c.id
"""
# A process that has come back meanwhile, here or at another hub, has another `connected_at`: its new stream stays. A lease of the stream
# before this one was given before this one opened, so it may count for a term from then, even if this one brought none.
CLOSE = """
WITH ended AS (
    SELECT c.id, e.lease_until FROM killswitch_tradingclient c
    JOIN unnest(%(ids)s::bigint[], %(opened_at)s::timestamptz[], %(lease_until)s::timestamptz[])
        AS e (id, opened_at, lease_until) ON e.id = c.id AND e.opened_at = c.connected_at
    WHERE c.hub = %(hub)s ORDER BY c.id FOR NO KEY UPDATE OF c
)
UPDATE killswitch_tradingclient c
SET hub = '', lease_until = GREATEST(ended.lease_until, c.connected_at + %(term)s * interval '1 second')
FROM ended WHERE c.id = ended.id RETURNING c.id
"""


class AccountMismatch(Exception):
    """Another account has registered this very instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDetails:
    """What a process says of itself when it opens its stream; checked by the caller. `scopes` as `killswitch.state.parse_scope` spells them."""

    name: str
    instance: str
    host: str
    pid: int | None
    version: str
    scopes: Sequence[str]


@bounded
def connect(
    *, actor: Actor, details: ClientDetails, hub: str, now: datetime | None = None
) -> tuple[TradingClient, datetime]:
    """Register a process, before its hub gives it any lease; returns it and when its stream was opened. Raises AccountMismatch."""
    moment = now or database_time()
    # Leases may come as soon as this is committed. The hub gives none beyond this cover before its first touch has extended it.
    lease_until = moment + timedelta(seconds=LEASE_COVER + settings.LEASE_TERM)
    client, created = TradingClient.objects.get_or_create(
        name=details.name,
        instance=details.instance,
        defaults={"first_seen": moment, "last_seen": moment, "user_id": actor.user_id},
    )
    client = TradingClient.objects.select_for_update(no_key=True).get(pk=client.pk)
    if client.user_id != actor.user_id:
        raise AccountMismatch
    client.host, client.pid, client.version = details.host, details.pid, details.version
    client.scopes = list(details.scopes)
    client.hub, client.connected_at, client.last_seen = hub, moment, moment
    was_missed = client.stale_since is not None
    client.left_at = client.stale_since = None
    client.lease_until = max(lease_until, client.lease_until or lease_until)
    client.save()
    if created:
        record(
            actor=actor,
            action="killswitch.client_registered",
            obj=client,
            reason="",
            after={
                "host": client.host,
                "pid": client.pid,
                "version": client.version,
                "scopes": client.scopes,
            },
            now=moment,
        )
    publish("clients", ids=(client.pk,))
    _welcome_back(client, was_missed=was_missed, now=moment)
    return client, moment


@bounded
def touch(
    *, client_ids: Iterable[int], hub: str, lease_until: datetime, now: datetime | None = None
) -> set[int]:
    """Note that a hub holds these streams, and until when a lease that it gives may count. Returns those that are still its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            TOUCH,
            {"ids": list(client_ids), "hub": hub, "now": now or database_time(), "lease_until": lease_until},
        )
        return {pk for (pk,) in cursor.fetchall()}


@bounded
def disconnect(*, ends: Iterable[StreamEnd], hub: str) -> None:
    """Note that streams of this hub have ended, unless their process has opened another one since."""
    ended = list(ends)
    with connection.cursor() as cursor:
        cursor.execute(
            CLOSE,
            {
                "ids": [end.client_id for end in ended],
                "opened_at": [end.opened_at for end in ended],
                "lease_until": [end.lease_until for end in ended],
                "hub": hub,
                "term": settings.LEASE_TERM,
            },
        )
        gone = tuple(pk for (pk,) in cursor.fetchall())
    if gone:
        publish("clients", ids=gone)


@bounded
def sweep(*, now: datetime | None = None) -> None:
    """Let go of the streams of hubs that are gone, and of commands that nobody answered."""
    moment = now or database_time()
    # A living hub extends this long before it passes, and no lease was ever given beyond it.
    silent = TradingClient.objects.filter(~Q(hub=""), lease_until__lt=moment)
    gone = list(
        silent.order_by("pk").select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True)
    )
    if gone:
        TradingClient.objects.filter(pk__in=gone).update(hub="")
        publish("clients", ids=tuple(gone))
    _expire_commands(now=moment)


@bounded
def notice_stale(*, now: datetime | None = None) -> None:
    """Processes that have been gone for a while, did not say goodbye, and have no successor of their name."""
    moment = now or database_time()
    since = moment - timedelta(seconds=settings.CLIENT_STALE)
    gone = (
        TradingClient.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(hub="", left_at=None, stale_since=None, last_seen__lt=since, last_seen__gt=moment - MISSED)
        .order_by("pk")
    )
    for client in gone:
        client.stale_since = moment
        client.save(update_fields=["stale_since"])
        if not TradingClient.objects.filter(name=client.name, first_seen__gt=client.first_seen).exists():
            alarms.stale(client, now=moment)


def _welcome_back(client: TradingClient, *, was_missed: bool, now: datetime) -> None:
    """A process of this name was missed, and this one has come: in its place, or the same again."""
    missed = TradingClient.objects.filter(name=client.name, stale_since__isnull=False).exclude(pk=client.pk)
    if missed.update(stale_since=None, left_at=now) or was_missed:
        alarms.back(client, now=now)


def _expire_commands(*, now: datetime) -> None:
    late = list(
        CommandResult.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        .select_related("command", "client")
        .filter(state=CommandState.PENDING, command__issued_at__lt=now - COMMAND_TIME)
        .order_by("pk")
    )
    if not late:
        return
    for result in late:
        result.state, result.at, result.error = CommandState.EXPIRED, now, "no answer in time"
    CommandResult.objects.bulk_update(late, ["state", "at", "error"])
    publish("commands")
    alarms.not_carried_out(late, now=now)
