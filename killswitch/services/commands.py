"""Orders to the trading processes, pressed by an operator: cancel open orders, close positions."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from killswitch.choices import CommandKind
from killswitch.locking import bounded, lock_epoch, set_epoch
from killswitch.models import Command, CommandResult, Switch, TradingClient
from killswitch.state import GLOBAL
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.storable import storable_text
from opsconsole.live.publish import publish


class NoTargets(Exception):
    """None of the processes named (or no process at all) is connected, so nobody could carry the command out."""

    def __init__(self, missing: Sequence[int]) -> None:
        super().__init__(
            "Not connected: " + ", ".join(map(str, missing))
            if missing
            else "No trading process is connected."
        )
        self.missing = list(missing)


@bounded
def issue_command(
    *,
    actor: Actor,
    kind: CommandKind,
    client_ids: Sequence[int] | None,
    reason: str = "",
    now: datetime | None = None,
) -> Command:
    """Tell these processes (None: every connected one) to act. It reaches them by their streams; results come back in their reports.

    Raises NoTargets when one of those named is not connected: what cannot be carried out in full is not begun.
    """
    epoch, db_now = lock_epoch()
    moment = now or db_now
    connected = TradingClient.objects.filter(~Q(hub="")).order_by("pk")
    targets = list(connected if client_ids is None else connected.filter(pk__in=client_ids))
    missing = sorted(set(client_ids or ()) - {client.pk for client in targets})
    if missing or not targets:
        raise NoTargets(missing)
    stop = Switch.objects.filter(scope=GLOBAL).values_list("activation_id", flat=True).first()
    command = Command.objects.create(
        kind=kind,
        epoch=epoch + 1,
        activation_id=stop,
        issued_at=moment,
        issued_by=storable_text(actor.name, length=150),
        user_id=actor.user_id,
    )
    CommandResult.objects.bulk_create(CommandResult(command=command, client=client) for client in targets)
    set_epoch(epoch + 1)
    record(
        actor=actor,
        action=f"killswitch.{kind}",
        obj=command,
        reason=reason,
        after={"clients": [{"id": client.pk, "name": client.name} for client in targets]},
        now=moment,
    )
    publish("commands", ids=(command.pk,))
    return command
