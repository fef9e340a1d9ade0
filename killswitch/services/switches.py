"""Stopping and re-arming."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q

from killswitch import alarms
from killswitch.choices import Mode
from killswitch.locking import bounded, lock_epoch, set_epoch
from killswitch.models import Acknowledgement, Activation, Switch, TradingClient
from killswitch.services.proofs import confirm
from killswitch.state import GLOBAL, closes_further, covers, parse_scope
from killswitch.wording import StopOrder, read_stop
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.storable import storable_text
from opsconsole.live.publish import publish

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ActivationOutcome:
    """`changed`: whether this call stopped anything; else `activation` is the episode that was open already."""

    changed: bool
    activation: Activation
    warnings: list[str]


class NotActive(Exception):
    """There is nothing to re-arm."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"Trading is not stopped for {scope}.")
        self.scope = scope


class DrillRefused(Exception):
    """A drill measures how fast a trading system stops, so it needs one that is not stopped."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"Trading is stopped for {scope}: re-arm before a drill.")
        self.scope = scope


def activate(
    *,
    actor: Actor,
    reason: str,
    message: str,
    metadata: Mapping[str, Any] | None = None,
    scope: str = GLOBAL,
    mode: str = Mode.HALTED,
    drill: bool = False,
    now: datetime | None = None,
) -> ActivationOutcome:
    """Stop trading in a scope, or run a drill. Never refuses a stop over its wording (see `killswitch.wording`).

    Returns after the commit. A stop of what is stopped as far already changes nothing; REDUCE_ONLY → HALTED ends the old episode and
    opens a new one. Raises DrillRefused for a drill where trading is stopped. `now` stands in for the database's clock.
    """
    order = read_stop(
        {
            "reason": reason,
            "message": message,
            "metadata": metadata,
            "scope": scope,
            "mode": mode,
            "drill": drill,
        }
    )
    return carry_out(actor=actor, order=order, now=now)


def carry_out(*, actor: Actor, order: StopOrder, now: datetime | None = None) -> ActivationOutcome:
    """`activate()` for an order that has been read already."""
    outcome = _begin(actor=actor, order=order, now=now)
    if outcome.changed:
        # In a transaction of its own: it reads a time after the commit, and sees whoever registered meanwhile.
        try:
            confirm(outcome.activation.pk, now=now)
        except DatabaseError:
            # The stop is committed; the settler confirms it when the database answers again.
            logger.warning(
                "Stop %s is committed, but could not be confirmed yet", outcome.activation.pk, exc_info=True
            )
        else:
            outcome.activation.refresh_from_db()
    return outcome


@bounded
def deactivate(*, actor: Actor, message: str, scope: str = GLOBAL, now: datetime | None = None) -> Activation:
    """Re-arm a scope: its processes may trade again with their next lease. Raises NotActive, and ValueError for an unreadable scope."""
    scope = parse_scope(scope)
    epoch, db_now = lock_epoch()
    switch = (
        Switch.objects.select_for_update(no_key=True, of=("self",))
        .select_related("activation")
        .filter(scope=scope)
        .first()
    )
    if switch is None or switch.activation is None:
        raise NotActive(scope)
    moment = now or db_now
    before = _describe(switch)
    activation = _end(switch.activation, actor=actor, message=message, moment=moment)
    switch.mode, switch.activation, switch.epoch = Mode.ACTIVE, None, epoch + 1
    switch.since, switch.by = moment, activation.ended_by
    switch.save()
    set_epoch(epoch + 1)
    record(
        actor=actor,
        action="killswitch.rearmed",
        obj=switch,
        reason=message,
        before=before,
        after=_describe(switch),
        metadata={"activation": activation.pk},
        now=moment,
    )
    publish("killswitch", ids=(activation.pk,))
    alarms.rearmed(activation, now=moment)
    return activation


@bounded
def _begin(*, actor: Actor, order: StopOrder, now: datetime | None) -> ActivationOutcome:
    epoch, db_now = lock_epoch()
    moment = now or db_now
    switch = _locked_switch(order.scope, moment=moment)
    warnings = list(order.warnings)
    open_already = _open_already(switch, order)
    if open_already is not None:
        return ActivationOutcome(changed=False, activation=open_already, warnings=warnings)
    before = _describe(switch)
    if not order.drill and switch.activation is not None:
        ended = _end(
            switch.activation, actor=actor, message=f"Closed further, to {order.mode}", moment=moment
        )
        alarms.rearmed(ended, now=moment)
    participants = _participants(order.scope, moment=moment)
    warnings += _warn_of_nobody(order.scope, participants)
    activation = _create(actor=actor, order=order, epoch=epoch + 1, moment=moment, warnings=warnings)
    Acknowledgement.objects.bulk_create(
        Acknowledgement(activation=activation, client=client) for client in participants
    )
    set_epoch(epoch + 1)
    if not order.drill:
        switch.mode, switch.activation, switch.epoch = order.mode, activation, epoch + 1
        switch.since, switch.by = moment, activation.activated_by
        switch.save()
    record(
        actor=actor,
        action="killswitch.drill_started" if order.drill else "killswitch.activated",
        obj=activation if order.drill else switch,
        reason=order.message,
        before=None if order.drill else before,
        after=None if order.drill else _describe(switch),
        metadata={
            "activation": activation.pk,
            "reason": order.reason,
            "warnings": warnings,
            "metadata": order.metadata,
        },
        now=moment,
    )
    publish("killswitch", ids=(activation.pk,))
    alarms.stopped(activation)
    return ActivationOutcome(changed=True, activation=activation, warnings=warnings)


def _locked_switch(scope: str, *, moment: datetime) -> Switch:
    Switch.objects.get_or_create(scope=scope, defaults={"since": moment, "by": ""})
    return (
        Switch.objects.select_for_update(no_key=True, of=("self",))
        .select_related("activation")
        .get(scope=scope)
    )


def _open_already(switch: Switch, order: StopOrder) -> Activation | None:
    if not order.drill:
        return switch.activation if not closes_further(Mode(switch.mode), order.mode) else None
    drill = Activation.objects.filter(scope=order.scope, drill=True, ended_at=None).first()
    if drill is None and switch.activation is not None:
        raise DrillRefused(order.scope)
    return drill


def _create(
    *, actor: Actor, order: StopOrder, epoch: int, moment: datetime, warnings: Sequence[str]
) -> Activation:
    return Activation.objects.create(
        scope=order.scope,
        mode=order.mode,
        drill=order.drill,
        epoch=epoch,
        reason=order.reason,
        message=order.message,
        metadata=order.metadata,
        warnings=warnings,
        activated_at=moment,
        actor_kind=actor.kind,
        activated_by=storable_text(actor.name, length=150),
        user_id=actor.user_id,
        term_ms=round(settings.LEASE_TERM * 1000),
    )


def _end(activation: Activation, *, actor: Actor, message: str, moment: datetime) -> Activation:
    activation.ended_at = max(moment, activation.activated_at)
    activation.ended_by = storable_text(actor.name, length=150)
    activation.ended_message = storable_text(message)
    activation.save(update_fields=["ended_at", "ended_by", "ended_message"])
    return activation


def _participants(scope: str, *, moment: datetime) -> list[TradingClient]:
    """Who may hold a lease now. Whoever registers meanwhile is added before the stop is declared complete."""
    holders = TradingClient.objects.filter(~Q(hub="") | Q(lease_until__gt=moment)).order_by("pk")
    return [client for client in holders if covers(scope, client.scopes)]


def _warn_of_nobody(scope: str, participants: Sequence[TradingClient]) -> list[str]:
    if not participants:
        return ["no trading process is connected that this stop covers; it holds for every one that connects"]
    if scope != GLOBAL and not any(scope in client.scopes for client in participants):
        return [f"no connected trading process names {scope}; the spelling must be the same"]
    return []


def _describe(switch: Switch) -> dict[str, Any]:
    activation = switch.activation
    return {
        "mode": switch.mode,
        "epoch": switch.epoch,
        "reason": activation.reason if activation else None,
        "message": activation.message if activation else None,
        "activation": switch.activation_id,
    }
