"""What trading processes tell of themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import Q

from killswitch import alarms
from killswitch.choices import CommandState
from killswitch.locking import bounded, database_time
from killswitch.models import Acknowledgement, CommandResult, TradingClient
from killswitch.services.proofs import UnknownClient
from opsconsole.audit.actor import Actor
from opsconsole.audit.choices import ActorKind
from opsconsole.audit.services import record
from opsconsole.audit.storable import storable_json, storable_text
from opsconsole.live.publish import publish

# Callback results kept of one process in one activation.
CALLBACKS = 50
EXPOSURE = ("open_orders", "positions", "last_order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as docs/protocol.md has it, checked by the caller. None and empty: nothing was said of it.

    `exposure` holds `open_orders` (int or None), `positions` (mapping or None) and `last_order`. `states` holds `local_stop` and
    `override`, each only if the report named it, with None for "not any more".
    `closing`: the process ends of its own accord, and is not to be missed.
    """

    callbacks: Sequence[Mapping[str, Any]] = ()
    exposure: Mapping[str, Any] | None = None
    commands: Sequence[Mapping[str, Any]] = ()
    states: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    closing: bool = False


@bounded
def report(
    *, actor: Actor, name: str, instance: str, report: Report, now: datetime | None = None
) -> TradingClient:
    """Take in what a process tells. Raises UnknownClient."""
    moment = now or database_time()
    client = TradingClient.objects.select_for_update(no_key=True).filter(name=name, instance=instance).first()
    if client is None or client.user_id is None or client.user_id != actor.user_id:
        raise UnknownClient(name, instance)
    changed = _take_exposure(client, report.exposure, moment=moment)
    for state, value in report.states.items():
        changed = _take_state(client, state, value, actor=actor, moment=moment) or changed
    client.last_seen = moment
    if report.closing:
        client.left_at = moment
    client.save(update_fields=["last_seen", "left_at", "exposure_at", *EXPOSURE, *STATES])
    if changed:
        publish("clients", ids=(client.pk,))
    if report.callbacks:
        _take_callbacks(client, report.callbacks, actor=actor, moment=moment)
    if report.commands:
        _take_commands(client, report.commands, actor=actor, moment=moment)
    return client


# The field, and what the trail calls its beginning and its end.
STATES = {
    "local_stop": ("killswitch.local_stop_began", "killswitch.local_stop_ended"),
    "override": ("killswitch.override_began", "killswitch.override_ended"),
}


def _take_exposure(client: TradingClient, exposure: Mapping[str, Any] | None, *, moment: datetime) -> bool:
    if exposure is None:
        return False
    before = [getattr(client, name) for name in EXPOSURE]
    client.open_orders = exposure.get("open_orders")
    client.positions = storable_json(exposure.get("positions"))
    client.last_order = storable_text(exposure.get("last_order") or "", length=200)
    client.exposure_at = moment
    return before != [getattr(client, name) for name in EXPOSURE]


def _take_state(
    client: TradingClient, state: str, value: Mapping[str, Any] | None, *, actor: Actor, moment: datetime
) -> bool:
    """A stop on the trading host, or an emergency override: in the trail when it begins, changes and ends."""
    before, after = getattr(client, state), storable_json(value)
    if before == after:
        return False
    setattr(client, state, after)
    began, ended = STATES[state]
    record(
        actor=_as_client(actor, client),
        action=ended if after is None else began,
        obj=client,
        reason=str((after or before or {}).get("message", "")),
        before=before,
        after=after,
        now=moment,
    )
    if before is None or after is None:
        alarms.told(client, state, after, now=moment)
    return True


def _take_callbacks(
    client: TradingClient, callbacks: Sequence[Mapping[str, Any]], *, actor: Actor, moment: datetime
) -> None:
    told = [_plain_callback(item) for item in callbacks]
    local = [item for item in told if item["activation"] is None]
    if local:
        # Of a stop that only the process knows: there is no proof to keep them with.
        record(
            actor=_as_client(actor, client),
            action="killswitch.local_stop_callbacks",
            obj=client,
            reason="",
            metadata={"callbacks": local},
            now=moment,
        )
    proofs = (
        Acknowledgement.objects.select_for_update(no_key=True)
        .filter(client=client, activation_id__in={item["activation"] for item in told})
        .order_by("pk")
    )
    for proof in proofs:
        own = [item for item in told if item["activation"] == proof.activation_id]
        # A repeated report replaces what it told before.
        names = {item["name"] for item in own}
        proof.callbacks = [item for item in proof.callbacks if item["name"] not in names]
        proof.callbacks += [
            {key: value for key, value in item.items() if key != "activation"} for item in own
        ]
        proof.callbacks = proof.callbacks[-CALLBACKS:]
        proof.save(update_fields=["callbacks"])
    publish("proofs", ids=tuple(proof.activation_id for proof in proofs))


def _plain_callback(item: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = storable_json(item)
    plain["name"] = storable_text(plain["name"], length=200)
    plain["error"] = None if plain.get("error") is None else storable_text(plain["error"], length=500)
    return plain


def _take_commands(
    client: TradingClient, results: Sequence[Mapping[str, Any]], *, actor: Actor, moment: datetime
) -> None:
    told = {item["id"]: item for item in results}
    open_states = Q(state__in=(CommandState.PENDING, CommandState.EXPIRED))
    rows = (
        CommandResult.objects.select_for_update(no_key=True, of=("self",))
        .select_related("command", "client")
        .filter(open_states, client=client, command_id__in=told)
        .order_by("pk")
    )
    for row in rows:
        item = told[row.command_id]
        row.state = CommandState.DONE if item["ok"] else CommandState.FAILED
        row.cancelled, row.left, row.unknown = item.get("cancelled"), item.get("left"), item.get("unknown")
        row.error = storable_text(item.get("error") or "", length=500)
        row.at = moment
        row.save(update_fields=["state", "cancelled", "left", "unknown", "error", "at"])
    alarms.not_carried_out([row for row in rows if row.state == CommandState.FAILED], now=moment)
    if rows:
        publish("commands", ids=tuple(row.command_id for row in rows))


def _as_client(actor: Actor, client: TradingClient) -> Actor:
    """The process speaks for itself, through the account that its token belongs to."""
    return replace(actor, kind=ActorKind.CLIENT, name=str(client))
