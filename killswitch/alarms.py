"""The alerts that the kill switch raises. A stop never waits for them and never fails because of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerts.choices import Category, Priority
from alerts.halts import Halt
from alerts.services.raised import RaisedAlert
from alerts.services.submitting import submit_beside
from killswitch.choices import Mode, Reason, Reminder
from killswitch.models import Activation, CommandResult, Switch, TradingClient
from killswitch.state import GLOBAL
from opsconsole.audit.actor import Actor

SOURCE = "killswitch"
ACTOR = Actor.system("kill switch")
# A drill's result is news, not a state: it ends by itself.
DRILL_SHOWN = timedelta(hours=1)
LONGEST = 2000
CATEGORIES = {
    Reason.DAILY_LOSS_LIMIT: Category.RISK_WARNING,
    Reason.VOLATILITY: Category.RISK_WARNING,
    Reason.RISK_THRESHOLD: Category.RISK_WARNING,
    Reason.COST_ALERT: Category.COST_ALERT,
    Reason.DATA_QUALITY: Category.DATA_QUALITY,
}
# What a process tells of itself: title, priority.
STATES = {
    "override": ("Stops are overridden", Priority.CRITICAL),
    "local_stop": ("Stopped on its own host", Priority.HIGH),
}


def halts() -> Sequence[Halt]:
    """The stops in force, for alerts that only follow from one. REDUCE_ONLY still trades, so it explains nothing."""
    switches = Switch.objects.filter(mode=Mode.HALTED).select_related("activation")
    return [
        Halt(scope=switch.scope, since=switch.since, activation=switch.activation_id)
        for switch in switches
        if switch.activation_id is not None
    ]


def stopped(activation: Activation) -> None:
    """In the transaction of the stop. Forced: nobody is to miss it, at whatever hour. Drills are told when they are proven."""
    if not activation.drill:
        submit_beside(actor=ACTOR, alert=_stop(activation), now=activation.activated_at)


def rearmed(activation: Activation, *, now: datetime) -> None:
    """In the transaction that ends the episode."""
    if not activation.drill:
        submit_beside(
            actor=ACTOR,
            alert=_stop(
                activation, resolved=True, message=_by(activation.ended_message, activation.ended_by)
            ),
            now=now,
        )


def proven(activation: Activation, *, now: datetime) -> None:
    """Every process is proven: the result of a drill, and the end of "not proven yet"."""
    if activation.drill:
        submit_beside(actor=ACTOR, alert=_drill(activation, now=now), now=now)
    if activation.unproven_since is not None:
        submit_beside(actor=ACTOR, alert=_unproven(activation, resolved=True), now=now)


def not_proven(activation: Activation, *, now: datetime) -> None:
    """The bound is long over, and still a process is neither heard of nor past its lease."""
    submit_beside(actor=ACTOR, alert=_unproven(activation), now=now)


def told(client: TradingClient, state: str, value: Mapping[str, Any] | None, *, now: datetime) -> None:
    """A process began (or ended: None) to override stops, or to stand still on its own host's order."""
    title, priority = STATES[state]
    submit_beside(
        actor=ACTOR,
        alert=RaisedAlert(
            category=Category.SYSTEM_ERROR,
            priority=priority,
            title=f"{title}: {client.name}",
            message=_plain(str((value or {}).get("message") or "")),
            labels={"client": client.name, "state": state},
            details=_whence(client),
            source=SOURCE,
            resolved=value is None,
        ),
        now=now,
    )


def stale(client: TradingClient, *, now: datetime) -> None:
    """The process was connected, has not been heard of for a while, and did not say goodbye."""
    submit_beside(actor=ACTOR, alert=_stale(client), now=now)


def back(client: TradingClient, *, now: datetime) -> None:
    """One of its name is connected again."""
    submit_beside(actor=ACTOR, alert=_stale(client, resolved=True), now=now)


def not_carried_out(results: Sequence[CommandResult], *, now: datetime) -> None:
    """Commands that a process failed to carry out, or did not answer: orders may be left at the venue."""
    for result in results:
        kind = result.command.kind
        submit_beside(
            actor=ACTOR,
            alert=RaisedAlert(
                category=Category.SYSTEM_ERROR,
                priority=Priority.HIGH,
                title=f"Not carried out: {kind.replace('_', ' ')}",
                message=f"{result.client}: {_plain(result.error) or 'it failed'}. Orders may be left at the venue.",
                labels={"client": result.client.name, "command": str(result.command_id)},
                details=_whence(result.client),
                source=SOURCE,
            ),
            now=now,
        )


def drill_due(
    reminder: Reminder,
    due: datetime,
    *,
    now: datetime,
    last: Activation | None = None,
    resolved: bool = False,
) -> None:
    """The next drill is due soon, or overdue (or that is over)."""
    overdue = reminder == Reminder.OVERDUE
    proven = f"The last one was on {last.activated_at:%d %b %Y}" if last else "None has been run yet"
    submit_beside(
        actor=ACTOR,
        alert=RaisedAlert(
            category=Category.PERFORMANCE,
            priority=Priority.MEDIUM if overdue else Priority.LOW,
            title="Stop drill is overdue" if overdue else "Stop drill is due soon",
            message=f"Due by {due:%d %b %Y %H:%M %Z}. {proven}. Run it on the page of the drills; orders go on.",
            labels={"drill": str(reminder)},
            details={"due": due.isoformat()},
            source=SOURCE,
            resolved=resolved,
            dedupe_key=f"killswitch-drill-{reminder}:{due.date()}",
        ),
        now=now,
    )


def _stop(activation: Activation, *, resolved: bool = False, message: str = "") -> RaisedAlert:
    what = "Trading stopped" if activation.mode == Mode.HALTED else "Reduce only"
    where = "everything" if activation.scope == GLOBAL else activation.scope
    return RaisedAlert(
        category=CATEGORIES.get(Reason(activation.reason), Category.SYSTEM_ERROR),
        priority=Priority.CRITICAL if activation.mode == Mode.HALTED else Priority.HIGH,
        title=f"{what}: {where}",
        message=message or _by(activation.message, activation.activated_by),
        labels={"scope": activation.scope, "mode": activation.mode},
        details={"reason": activation.reason, "activation": activation.pk},
        source=SOURCE,
        force=True,
        resolved=resolved,
        # One incident an episode, whatever its reason: a second stop is told, however soon it comes.
        dedupe_key=f"killswitch:{activation.pk}",
    )


def _unproven(activation: Activation, *, resolved: bool = False) -> RaisedAlert:
    return RaisedAlert(
        category=Category.SYSTEM_ERROR,
        priority=Priority.CRITICAL,
        title="Stop not proven",
        message="A process has neither acknowledged the stop nor run out of its lease. It must be looked for on its host.",
        labels={"scope": activation.scope},
        details={"activation": activation.pk},
        source=SOURCE,
        force=True,
        resolved=resolved,
        dedupe_key=f"killswitch-unproven:{activation.pk}",
    )


def _drill(activation: Activation, *, now: datetime) -> RaisedAlert:
    return RaisedAlert(
        category=Category.PERFORMANCE,
        priority=Priority.LOW,
        title="Stop drill proven",
        message=f"Every process was measured; the slowest took {activation.time_to_stop_ms or 0:.0f} ms.",
        labels={"scope": activation.scope},
        details={"activation": activation.pk},
        source=SOURCE,
        ends_at=now + DRILL_SHOWN,
        dedupe_key=f"killswitch:{activation.pk}",
    )


def _stale(client: TradingClient, *, resolved: bool = False) -> RaisedAlert:
    return RaisedAlert(
        category=Category.SYSTEM_ERROR,
        priority=Priority.HIGH,
        title=f"No contact: {client.name}",
        message="Its stream has ended, and it did not say that it was closing. It has died, or cannot reach the console.",
        labels={"client": client.name},
        details=_whence(client) | {"last_seen": client.last_seen.isoformat()},
        source=SOURCE,
        resolved=resolved,
    )


def _whence(client: TradingClient) -> dict[str, Any]:
    return {"host": client.host, "pid": client.pid, "instance": client.instance}


def _by(message: str, name: str) -> str:
    text = _plain(message).rstrip(".")
    return f"{text}. By {_plain(name)}." if text else f"By {_plain(name)}."


def _plain(text: str) -> str:
    """An alert takes no control characters, and a stop takes any text."""
    return "".join(char if char.isprintable() else " " for char in text)[:LONGEST].strip()
