"""What operators tell breakers. Each process applies it by its version, and says so in its next report."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from killswitch.locking import bounded
from monitoring.breakers.choices import CommandKind, Hold
from monitoring.breakers.locking import COMMANDS, lock_version, set_version
from monitoring.breakers.models import BreakerApplied, BreakerCommand, BreakerProcess, CircuitBreaker
from monitoring.breakers.presence import present
from monitoring.breakers.selectors import held_of
from monitoring.breakers.services.breakers import locked
from monitoring.breakers.services.shared import FIELDS, put, shared_of
from monitoring.breakers.sharing import closed
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.storable import storable_text
from opsconsole.live.publish import publish

HOLDS = ["hold", "hold_reason", "hold_by", "hold_at", "hold_until", "version"]
BEAT = Actor.system("circuit breakers")
KINDS = {Hold.OPEN: CommandKind.FORCE_OPEN, Hold.CLOSED: CommandKind.FORCE_CLOSE}
ACTIONS = {
    CommandKind.RESET: "breakers.reset",
    CommandKind.RESET_ALL: "breakers.reset_all",
    CommandKind.FORCE_OPEN: "breakers.forced_open",
    CommandKind.FORCE_CLOSE: "breakers.forced_closed",
    CommandKind.RELEASE: "breakers.released",
    CommandKind.EXPIRE: "breakers.hold_expired",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`breaker` None: all of them. `warnings`: what stands in the way of what was meant."""

    command: BreakerCommand
    breaker: CircuitBreaker | None
    warnings: list[str]


class NotHeld(Exception):
    """Nobody holds it open or closed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The circuit breaker {name} is not held open or closed.")
        self.name = name


@bounded
def reset(*, actor: Actor, name: str, reason: str, now: datetime | None = None) -> Outcome:
    """Close it everywhere, with new windows and counts of failures. A hold stays. Raises UnknownBreaker."""
    version, db_now = lock_version()
    moment, breaker = now or db_now, locked(name)
    before = _described(breaker, now=moment)
    _put_reset(breaker, version=version + 1, now=moment)
    breaker.save(update_fields=["reset_version", *FIELDS])
    command = issue(CommandKind.RESET, breaker, actor, reason, version=version + 1, now=moment)
    _record(command, breaker, actor, before=before, now=moment)
    held = held_of(breaker, now=moment)
    warnings = [f"it stays forced {held.state} by {held.by}: release it"] if held else []
    return Outcome(command, breaker, warnings)


@bounded
def reset_all(*, actor: Actor, reason: str, now: datetime | None = None) -> Outcome:
    """The same for every breaker, with one version. Holds stay."""
    version, db_now = lock_version()
    moment = now or db_now
    breakers = list(CircuitBreaker.objects.select_for_update(no_key=True).order_by("pk"))
    for breaker in breakers:
        _put_reset(breaker, version=version + 1, now=moment)
    CircuitBreaker.objects.bulk_update(breakers, ["reset_version", *FIELDS], batch_size=500)
    command = issue(CommandKind.RESET_ALL, None, actor, reason, version=version + 1, now=moment)
    _record(command, None, actor, after={"breakers": len(breakers)}, now=moment)
    held = [breaker.name for breaker in breakers if held_of(breaker, now=moment)]
    warnings = [f"forced, and stay so until released: {', '.join(held[:10])}"] if held else []
    return Outcome(command, None, warnings)


def force_open(
    *, actor: Actor, name: str, reason: str, until: datetime | None = None, now: datetime | None = None
) -> Outcome:
    """Reject every call, until `until` or until it is released. Raises UnknownBreaker."""
    return _force(Hold.OPEN, actor=actor, name=name, reason=reason, until=until, now=now)


def force_close(
    *, actor: Actor, name: str, reason: str, until: datetime | None = None, now: datetime | None = None
) -> Outcome:
    """Let every call through and never open, until `until` or until it is released. Raises UnknownBreaker."""
    return _force(Hold.CLOSED, actor=actor, name=name, reason=reason, until=until, now=now)


@bounded
def release(*, actor: Actor, name: str, reason: str, now: datetime | None = None) -> Outcome:
    """Leave it to the processes again. Raises UnknownBreaker, and NotHeld."""
    version, db_now = lock_version()
    moment, breaker = now or db_now, locked(name)
    if held_of(breaker, now=moment) is None:
        raise NotHeld(name)
    before = _described(breaker, now=moment)
    _put_free(breaker, version=version + 1)
    breaker.save(update_fields=HOLDS)
    command = issue(CommandKind.RELEASE, breaker, actor, reason, version=version + 1, now=moment)
    _record(command, breaker, actor, before=before, now=moment)
    return Outcome(command, breaker, [])


@bounded
def expire_holds(*, now: datetime | None = None) -> int:
    """Take back the holds whose time is over; processes have done so by themselves. Returns how many."""
    due = CircuitBreaker.objects.filter(hold_until__isnull=False)
    if not due.exists():
        return 0
    version, db_now = lock_version()
    moment = now or db_now
    over = list(due.filter(hold_until__lte=moment).select_for_update(no_key=True).order_by("pk"))
    for number, breaker in enumerate(over, version + 1):
        before = {"hold": breaker.hold, "until": breaker.hold_until}
        _put_free(breaker, version=number)
        breaker.save(update_fields=HOLDS)
        command = issue(CommandKind.EXPIRE, breaker, BEAT, "its time was over", version=number, now=moment)
        _record(command, breaker, BEAT, before=before, now=moment)
    return len(over)


@bounded
def _force(
    state: Hold, *, actor: Actor, name: str, reason: str, until: datetime | None, now: datetime | None
) -> Outcome:
    version, db_now = lock_version()
    moment, breaker = now or db_now, locked(name)
    before = _described(breaker, now=moment)
    breaker.hold, breaker.hold_at, breaker.hold_until = state, moment, until
    breaker.hold_reason, breaker.hold_by = storable_text(reason), storable_text(actor.name, length=150)
    breaker.version = version + 1
    breaker.save(update_fields=HOLDS)
    command = issue(KINDS[state], breaker, actor, reason, version=version + 1, now=moment, until=until)
    _record(command, breaker, actor, before=before, now=moment)
    return Outcome(command, breaker, [])


def _put_reset(breaker: CircuitBreaker, *, version: int, now: datetime) -> None:
    breaker.reset_version = breaker.version = version
    if breaker.shared:
        put(breaker, closed(shared_of(breaker)), version=version, now=now)


def _put_free(breaker: CircuitBreaker, *, version: int) -> None:
    breaker.hold = breaker.hold_reason = breaker.hold_by = ""
    breaker.hold_at = breaker.hold_until = None
    breaker.version = version


def issue(
    kind: CommandKind,
    breaker: CircuitBreaker | None,
    actor: Actor,
    reason: str,
    *,
    version: int,
    now: datetime,
    until: datetime | None = None,
) -> BreakerCommand:
    """Note what was told and to whom, and tell the hubs."""
    command = BreakerCommand.objects.create(
        kind=kind,
        breaker=breaker,
        version=version,
        at=now,
        until=until,
        reason=storable_text(reason),
        actor_kind=actor.kind,
        by=storable_text(actor.name, length=150),
        user_id=actor.user_id,
    )
    BreakerApplied.objects.bulk_create(
        BreakerApplied(command=command, client=name, instance=instance, version=version)
        for name, instance in _addressed(breaker, now)
    )
    set_version(version)
    publish(COMMANDS)
    publish("breakers")
    return command


def _addressed(breaker: CircuitBreaker | None, now: datetime) -> Iterable[tuple[str, str]]:
    """The processes that are there and have it."""
    rows = BreakerProcess.objects.filter(present(now))
    if breaker is not None:
        rows = rows.filter(states__breaker=breaker)
    return rows.order_by("pk").values_list("name", "instance")


def _described(breaker: CircuitBreaker, *, now: datetime) -> dict[str, Any]:
    held = held_of(breaker, now=now)
    return {
        "hold": held.state if held else None,
        "until": held.until if held else None,
        "reset": breaker.reset_version,
        "shared": breaker.shared or None,
    }


def _record(
    command: BreakerCommand,
    breaker: CircuitBreaker | None,
    actor: Actor,
    *,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    record(
        actor=actor,
        action=ACTIONS[CommandKind(command.kind)],
        obj=breaker if breaker is not None else command,
        reason=command.reason,
        before=before,
        after=after if breaker is None else _described(breaker, now=now),
        metadata={"command": command.pk, "version": command.version},
        now=now,
    )
