"""Reads of the kill switch: the state as pages, API and command show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from killswitch.choices import Mode, ProofState
from killswitch.locking import database_time
from killswitch.models import (
    Acknowledgement,
    Activation,
    Command,
    CommandResult,
    Epoch,
    Switch,
    TradingClient,
)
from killswitch.state import GLOBAL

# A drill that has ended stays on the pages for so long.
DRILL_SHOWN = timedelta(seconds=60)
# A process that is gone stays listed for so long, unless a newer one has its name: it may have left orders at the venue.
GONE_SHOWN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Proof:
    """One trading process, and its proof in the activation `activation_id` of the status (None: it takes no part).

    `lease`: `held`, `expired`, or `unknown` when its hub has not been heard of. `proof_ms`: milliseconds from the stop to the proof.
    """

    client_id: int
    name: str
    instance: str
    host: str
    pid: int | None
    version: str
    scopes: list[str]
    connected: bool
    lease: str
    acknowledged_epoch: int
    first_seen: datetime
    last_seen: datetime
    proof: str | None
    proof_ms: float | None
    proof_at: datetime | None
    callbacks: list[dict[str, Any]]
    open_orders: int | None
    positions: dict[str, Any] | None
    last_order: str
    exposure_at: datetime | None
    local_stop: dict[str, Any] | None
    override: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ScopeState:
    """One stopped scope, or one drill. `deadline`: from then on nobody covered may trade."""

    scope: str
    mode: str
    state: str
    reason: str
    message: str
    metadata: dict[str, Any]
    since: datetime
    by: str
    activation_id: int
    epoch: int
    time_to_stop_ms: float | None
    term_ms: int
    deadline: datetime | None
    ended_at: datetime | None
    proven: int
    total: int


@dataclass(frozen=True, slots=True)
class Status:
    """The whole state. The fields up to `deadline` tell of the scope `global`; `proven`, `total` and the clients' proofs of `proof_of`:
    the global stop, else a drill (open, or over for less than a minute), else the newest stop of another scope.
    """

    is_active: bool
    trading_allowed: bool
    mode: str
    epoch: int
    reason: str | None
    message: str | None
    metadata: dict[str, Any]
    activated_at: datetime | None
    activated_by: str | None
    state: str
    time_to_stop_ms: float | None
    term_ms: int
    activation_id: int | None
    proof_of: int | None
    proven: int
    total: int
    deadline: datetime | None
    scopes: list[ScopeState]
    drill: ScopeState | None
    clients: list[Proof]
    last_proven: Activation | None
    server_time: datetime


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """`next_id`: pass it as `before_id` for the next page; None on the last one."""

    results: list[Activation]
    next_id: int | None


def epoch() -> int:
    """The number that grows with every stop, re-arm, drill and command."""
    return Epoch.objects.filter(pk=1).values_list("value", flat=True).first() or 0


# What changes with each change of state, each proof, and each process that comes or goes.
VERSION = """
SELECT COALESCE((SELECT value FROM killswitch_epoch WHERE id = 1), 0),
    (SELECT count(*) FROM killswitch_acknowledgement WHERE state = 'PENDING'),
    c.connected, c.newest
FROM (SELECT count(*) AS connected, max(connected_at) AS newest FROM killswitch_tradingclient WHERE hub <> '') c
"""


def version() -> tuple[Any, ...]:
    """As long as it is the same, a status of a moment ago tells of no other stops, proofs or processes than one of now. One query."""
    with connection.cursor() as cursor:
        cursor.execute(VERSION)
        row = cursor.fetchone()
    assert row is not None  # noqa: S101  aggregates yield one row
    return tuple(row)


def status(*, now: datetime | None = None) -> Status:
    """The state now, in six queries however many processes there are."""
    moment = now or database_time()
    number = epoch()
    stops = [
        switch.activation
        for switch in Switch.objects.exclude(mode=Mode.ACTIVE).select_related("activation").order_by("scope")
        if switch.activation is not None
    ]
    drill = _drill(now=moment)
    proofs = _proofs_of([*stops, *([drill] if drill else [])])
    scopes = [_scope_state(stop, proofs.get(stop.pk, {})) for stop in stops]
    whole = next((item for item in scopes if item.scope == GLOBAL), None)
    drill_state = _scope_state(drill, proofs.get(drill.pk, {})) if drill else None
    focus = whole or drill_state or max(scopes, key=lambda item: item.activation_id, default=None)
    of_focus = proofs.get(focus.activation_id, {}) if focus else {}
    return Status(
        is_active=whole is not None,
        trading_allowed=whole is None,
        mode=whole.mode if whole else Mode.ACTIVE,
        epoch=number,
        reason=whole.reason if whole else None,
        message=whole.message if whole else None,
        metadata=whole.metadata if whole else {},
        activated_at=whole.since if whole else None,
        activated_by=whole.by if whole else None,
        state=whole.state if whole else "armed",
        time_to_stop_ms=whole.time_to_stop_ms if whole else None,
        term_ms=whole.term_ms if whole else round(settings.LEASE_TERM * 1000),
        activation_id=whole.activation_id if whole else None,
        proof_of=focus.activation_id if focus else None,
        proven=focus.proven if focus else 0,
        total=focus.total if focus else 0,
        deadline=whole.deadline if whole else None,
        scopes=scopes,
        drill=drill_state,
        clients=clients(proofs=of_focus, now=moment),
        last_proven=_last_proven(),
        server_time=moment,
    )


def clients(*, proofs: Mapping[int, Acknowledgement], now: datetime) -> list[Proof]:
    """Those connected, those with a part in `proofs` (by their id), and the newest of each name that went within a day; by name."""
    newest = (
        TradingClient.objects.filter(last_seen__gt=now - GONE_SHOWN)
        .order_by("name", "-last_seen", "-id")
        .distinct("name")
    )
    shown = TradingClient.objects.filter(~Q(hub="") | Q(pk__in=list(proofs)) | Q(pk__in=newest.values("pk")))
    return [
        _proof(client, proofs.get(client.pk), now=now)
        for client in shown.order_by("name", "first_seen", "pk")
    ]


def activation(pk: int) -> Activation:
    """One episode with its proofs (`.acknowledgements.all()`, with their clients) and commands. Activation.DoesNotExist."""
    return _with_details(Activation.objects.all()).get(pk=pk)


def history(
    *,
    limit: int = 50,
    before_id: int | None = None,
    scope: str = "",
    reason: str = "",
    drill: bool | None = None,
    search: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> HistoryPage:
    """Episodes, newest first. `search` looks into messages and the names of who stopped and who re-armed."""
    rows = Activation.objects.order_by("-id")
    if scope:
        rows = rows.filter(scope=scope)
    if reason:
        rows = rows.filter(reason=reason)
    if drill is not None:
        rows = rows.filter(drill=drill)
    if since is not None:
        rows = rows.filter(activated_at__gte=since)
    if until is not None:
        rows = rows.filter(activated_at__lt=until)
    if search:
        rows = rows.filter(
            Q(message__icontains=search)
            | Q(ended_message__icontains=search)
            | Q(activated_by__icontains=search)
            | Q(ended_by__icontains=search)
        )
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    found = list(rows[: limit + 1])
    return HistoryPage(results=found[:limit], next_id=found[limit - 1].pk if len(found) > limit else None)


def recent_commands(*, limit: int = 10) -> list[Command]:
    """The newest commands with their results (`.results.all()`, each with its client)."""
    results = CommandResult.objects.select_related("client").order_by("client__name", "pk")
    return list(
        Command.objects.prefetch_related(Prefetch("results", queryset=results)).order_by("-id")[:limit]
    )


def unproven_epochs() -> list[int]:
    """The epochs of stops and drills whose proof is not complete, oldest first."""
    return list(
        Activation.objects.filter(stopped_at=None, ended_at=None)
        .order_by("epoch")
        .values_list("epoch", flat=True)
    )


def known_scopes() -> list[str]:
    """The scopes that connected processes name, for choosing one to stop."""
    named = TradingClient.objects.exclude(hub="").values_list("scopes", flat=True)
    return sorted({scope for scopes in named for scope in scopes})


def _with_details(rows: QuerySet[Activation]) -> QuerySet[Activation]:
    proofs = Acknowledgement.objects.select_related("client").order_by("client__name", "pk")
    commands = Command.objects.prefetch_related("results__client").order_by("pk")
    return rows.prefetch_related(
        Prefetch("acknowledgements", queryset=proofs), Prefetch("commands", queryset=commands)
    )


def _last_proven() -> Activation | None:
    """The newest stop or drill that every process was proven in; one without any process proves nothing."""
    proofs = Acknowledgement.objects.filter(activation=OuterRef("pk"))
    return Activation.objects.filter(Exists(proofs), stopped_at__isnull=False).order_by("-id").first()


def _drill(*, now: datetime) -> Activation | None:
    """The drill that runs, or that has just ended with nothing after it."""
    newest = Activation.objects.order_by("-id").values("pk")[:1]
    found = Activation.objects.filter(Q(drill=True, ended_at=None) | Q(drill=True, pk__in=newest))
    drill = found.order_by("-id").first()
    ended = drill.ended_at if drill else None
    return None if ended is not None and ended <= now - DRILL_SHOWN else drill


def _proofs_of(activations: Sequence[Activation]) -> dict[int, dict[int, Acknowledgement]]:
    """By activation, then by client."""
    found: dict[int, dict[int, Acknowledgement]] = {}
    for proof in Acknowledgement.objects.filter(activation__in=[item.pk for item in activations]):
        found.setdefault(proof.activation_id, {})[proof.client_id] = proof
    return found


def _scope_state(item: Activation, proofs: Mapping[int, Acknowledgement]) -> ScopeState:
    return ScopeState(
        scope=item.scope,
        mode=item.mode,
        state="stopping" if item.stopped_at is None else "stopped",
        reason=item.reason,
        message=item.message,
        metadata=item.metadata,
        since=item.activated_at,
        by=item.activated_by,
        activation_id=item.pk,
        epoch=item.epoch,
        time_to_stop_ms=item.time_to_stop_ms,
        term_ms=item.term_ms,
        deadline=item.confirmed_at and item.confirmed_at + timedelta(milliseconds=item.term_ms),
        ended_at=item.ended_at,
        proven=sum(proof.state != ProofState.PENDING for proof in proofs.values()),
        total=len(proofs),
    )


def _proof(client: TradingClient, proof: Acknowledgement | None, *, now: datetime) -> Proof:
    return Proof(
        client_id=client.pk,
        name=client.name,
        instance=client.instance,
        host=client.host,
        pid=client.pid,
        version=client.version,
        scopes=client.scopes,
        connected=client.connected,
        lease=_lease(client, now=now),
        acknowledged_epoch=client.acknowledged_epoch,
        first_seen=client.first_seen,
        last_seen=client.last_seen,
        proof=proof.state if proof else None,
        proof_ms=proof.ms if proof else None,
        proof_at=proof.at if proof else None,
        callbacks=proof.callbacks if proof else [],
        open_orders=client.open_orders,
        positions=client.positions,
        last_order=client.last_order,
        exposure_at=client.exposure_at,
        local_stop=client.local_stop,
        override=client.override,
    )


def _lease(client: TradingClient, *, now: datetime) -> str:
    until = client.lease_until
    if client.connected:
        # Its hub says every few seconds until when its leases may count; one that does not any more may be gone.
        return "held" if until is not None and until > now else "unknown"
    return "held" if until is not None and until > now else "expired"
