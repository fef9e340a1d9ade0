"""The trading processes' stream, as the hub asks for it (opsconsole.live.feeds.TradingFeed)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from killswitch.services import (
    AccountMismatch,
    ClientDetails,
    acknowledge_all,
    connect,
    disconnect,
    settle,
    touch,
)
from killswitch.state import GLOBAL, parse_scope
from opsconsole.accounts.actor import actor_of_account
from opsconsole.accounts.authentication import bearer, local_caller
from opsconsole.accounts.models import ApiToken, User
from opsconsole.accounts.services import authenticate_token
from opsconsole.live.feeds import Acknowledged, StreamEnd, StreamGrant, StreamRefused, StreamRequest, Told

PERMISSION = "killswitch.connect_tradingclient"
INSTANCE = re.compile(r"[0-9a-fA-F]{32}")
SCOPES = 50

# docs/protocol.md, "state". One statement, so that epoch and state are of one moment.
SNAPSHOT = """
SELECT COALESCE((SELECT value FROM killswitch_epoch WHERE id = 1), 0) AS epoch, clock_timestamp() AS db_now,
jsonb_build_object(
    'switches', COALESCE((
        SELECT jsonb_agg(jsonb_build_object(
            'scope', s.scope, 'mode', s.mode, 'reason', a.reason, 'message', a.message, 'metadata', a.metadata,
            'since', to_char(a.activated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'by', a.activated_by,
            'activation', a.id, 'epoch', a.epoch) ORDER BY s.scope)
        FROM killswitch_switch s JOIN killswitch_activation a ON a.id = s.activation_id WHERE s.mode <> 'ACTIVE'), '[]'),
    'drills', COALESCE((
        SELECT jsonb_agg(jsonb_build_object(
            'activation', a.id, 'scope', a.scope, 'reason', a.reason, 'message', a.message,
            'since', to_char(a.activated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'by', a.activated_by,
            'epoch', a.epoch) ORDER BY a.id)
        FROM killswitch_activation a WHERE a.drill AND a.ended_at IS NULL), '[]'),
    'commands', COALESCE((
        SELECT jsonb_agg(jsonb_build_object(
            'id', c.id, 'kind', c.kind, 'activation', c.activation_id, 'by', c.issued_by,
            'targets', (SELECT jsonb_agg(r.client_id ORDER BY r.client_id) FROM killswitch_commandresult r
                        WHERE r.command_id = c.id AND r.state = 'PENDING')) ORDER BY c.id)
        FROM killswitch_command c
        WHERE c.id IN (SELECT command_id FROM killswitch_commandresult WHERE state = 'PENDING')), '[]')
) AS state
"""


class KillSwitchFeed:
    """All methods run in a pool thread, with Django's connections."""

    snapshot_sql = SNAPSHOT
    topics = frozenset({"killswitch", "commands"})

    def open(self, request: StreamRequest) -> StreamGrant:
        """Authenticate, check and register a process. Raises StreamRefused."""
        user, token = _authenticate(request)
        if not user.has_perm(PERMISSION):
            raise StreamRefused(
                403,
                "forbidden",
                "This account may not open a trading stream: it needs the role trading-system.",
                {},
            )
        details = _details(request.query)
        actor = actor_of_account(user=user, token=token, ip=request.ip)
        try:
            client, opened_at = connect(actor=actor, details=details, hub=request.hub)
        except AccountMismatch:
            raise StreamRefused(
                403,
                "forbidden",
                "This instance was registered by another account.",
                {"parameter": "instance"},
            ) from None
        return StreamGrant(
            client_id=client.pk,
            key=f"{client.name}/{client.instance}",
            label=str(client),
            opened_at=opened_at,
        )

    def closed(self, ends: Iterable[StreamEnd], *, hub: str) -> None:
        disconnect(ends=ends, hub=hub)

    def touch(self, client_ids: Iterable[int], *, hub: str, lease_until: datetime) -> set[int]:
        return touch(client_ids=client_ids, hub=hub, lease_until=lease_until)

    def acknowledge(self, told: Sequence[Told]) -> list[Acknowledged]:
        return acknowledge_all(told=told)

    def settle(self, *, epoch: int, waited: float, hub: str, own_leases_until: datetime | None) -> bool:
        return settle(epoch=epoch, waited=waited, hub=hub, own_leases_until=own_leases_until)


def _authenticate(request: StreamRequest) -> tuple[User, ApiToken | None]:
    header = request.headers.get("authorization")
    if header is None:
        user = local_caller(ip=request.ip, headers=dict(request.headers))
        if user is None:
            raise StreamRefused(401, "not_authenticated", "Send Authorization: Bearer <token>.", {})
        return user, None
    token = authenticate_token(bearer(header) or "")
    if token is None:
        raise StreamRefused(
            401, "invalid_token", "The bearer token is not valid: unknown, expired or revoked.", {}
        )
    return token.user, token


def _details(query: Mapping[str, tuple[str, ...]]) -> ClientDetails:
    name = _one(query, "name", longest=64, needed=True)
    instance = _one(query, "instance", longest=32, needed=True)
    if not INSTANCE.fullmatch(instance):
        raise _bad("instance", "must be 32 hexadecimal digits")
    pid = _one(query, "pid", longest=10)
    if pid and not (pid.isascii() and pid.isdigit() and 0 < int(pid) < 2**31):
        raise _bad("pid", "must be a whole number above 0")
    return ClientDetails(
        name=name,
        instance=instance.lower(),
        host=_one(query, "host", longest=255),
        pid=int(pid) if pid else None,
        version=_one(query, "version", longest=32),
        scopes=_scopes(query.get("scope", ())),
    )


def _scopes(values: tuple[str, ...]) -> list[str]:
    if len(values) > SCOPES:
        raise _bad("scope", f"may be given at most {SCOPES} times")
    try:
        scopes = {parse_scope(value) for value in values}
    except ValueError as error:
        raise _bad("scope", str(error).removeprefix("scope: ")) from None
    if GLOBAL in scopes:
        raise _bad(
            "scope",
            "names what a process trades; a stop of everything covers it anyway, so leave `global` out",
        )
    return sorted(scopes)


def _one(query: Mapping[str, tuple[str, ...]], name: str, *, longest: int, needed: bool = False) -> str:
    values = query.get(name, ())
    if len(values) > 1:
        raise _bad(name, "may be given once")
    value = values[0].strip() if values else ""
    if needed and not value:
        raise _bad(name, "is missing")
    if len(value) > longest or not value.isprintable():
        raise _bad(name, f"must be at most {longest} printable characters")
    return value


def _bad(parameter: str, problem: str) -> StreamRefused:
    details: dict[str, Any] = {"parameter": parameter}
    return StreamRefused(400, "invalid_parameter", f"{parameter}: {problem}", details)
