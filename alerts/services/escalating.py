"""What is due and nobody owns is told again, more urgently and through more channels, until somebody owns it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from alerts import halts
from alerts.choices import AlertState, DeliveryKind, Priority
from alerts.labels import seen_labels
from alerts.locking import lock_decisions
from alerts.models import Alert, Channel, ResponseTime
from alerts.response import raised
from alerts.routing import takes
from alerts.services import outbox
from alerts.services.owning import end_acknowledgement
from alerts.silence_index import SilenceIndex, open_silences
from opsconsole.audit.actor import Actor
from opsconsole.audit.models import AuditEvent
from opsconsole.audit.services import record
from opsconsole.live.publish import publish

SYSTEM = Actor.system("alerts")
ESCALATED, WITHHELD = "alerts.escalated", "alerts.escalation_withheld"
# At most so many in one transaction, which every decision waits for; the rest come with the next.
BATCH = 25
# Where there is no higher priority and no further channel, each repeat waits twice as long as the one before, up to this.
SLOWEST = timedelta(hours=1)
# PostgreSQL's smallint ends soon after.
MOST = 32_000


@dataclass(frozen=True, slots=True)
class _World:
    """What an escalation looks at, read once for a batch."""

    now: datetime
    times: Mapping[str, ResponseTime]
    channels: Sequence[Channel]
    silences: SilenceIndex
    halts: Sequence[halts.Halt]


def escalate_due(*, now: datetime) -> int:
    """Escalate what is due, and end acknowledgements whose time is up. Returns how many alerts were escalated.

    Any number of processes may call it: each alert is escalated once each time it is due. What is silenced or expected now is
    withheld, and looked at again when that may have ended.
    """
    escalated = 0
    while True:
        found = list(_waiting(now).order_by("escalate_at").values_list("pk", flat=True)[:BATCH])
        if not found:
            return escalated
        escalated += _escalate(found, now=now)


def _waiting(now: datetime) -> Any:
    return Alert.objects.filter(state=AlertState.FIRING, escalate_at__lte=now)


@transaction.atomic
def _escalate(alert_ids: Sequence[int], *, now: datetime) -> int:
    lock_decisions()
    rows = _waiting(now).filter(pk__in=alert_ids).order_by("pk")
    alerts = list(rows.select_for_update(of=("self",)).select_related("assignee"))
    if not alerts:
        return 0
    world = _World(
        now=now,
        times={time.priority: time for time in ResponseTime.objects.all()},
        channels=list(Channel.objects.filter(enabled=True)),
        silences=open_silences(at=now),
        halts=halts.current() if any(halts.is_asked(alert.labels) for alert in alerts) else (),
    )
    escalated = sum(_look_at(alert, world) for alert in alerts)
    publish("alerts", ids=tuple(alert.pk for alert in alerts[:50]))
    return escalated


def _look_at(alert: Alert, world: _World) -> bool:
    """Every way out moves `escalate_at` on, so that nothing is looked at twice for one moment."""
    if alert.acknowledged_at is not None:
        _look_at_owned(alert, world)
        return False
    because, until = _withheld(alert, world)
    if because:
        _withhold(alert, because=because, until=until, now=world.now)
        return False
    _raise(alert, world)
    return True


def _look_at_owned(alert: Alert, world: _World) -> None:
    until = alert.acknowledged_until
    if until is not None and until <= world.now:
        end_acknowledgement(alert=alert, times=world.times, now=world.now)
        return
    # It was sent again meanwhile; its owner knows.
    alert.escalate_at = until
    alert.save(update_fields=["escalate_at"])


def _withheld(alert: Alert, world: _World) -> tuple[dict[str, Any], datetime]:
    """Why nobody is told now, and until when; empty when somebody is."""
    labels = seen_labels(category=alert.category, title=alert.title, labels=alert.labels)
    covering = world.silences.covering(labels, at=world.now)
    if covering:
        last = covering[-1]
        return {"silence": str(last.id), "by": last.created_by, "until": last.ends_at}, last.ends_at
    halt = halts.covering(alert.labels, world.halts)
    if halt is not None:
        return {"halt": halt.scope, "activation": halt.activation}, world.now + _interval(
            alert.priority, world
        )
    return {}, world.now


def _withhold(alert: Alert, *, because: dict[str, Any], until: datetime, now: datetime) -> None:
    before = _describe(alert)
    alert.escalate_at = until
    alert.save(update_fields=["escalate_at"])
    if _withheld_before(alert, because):
        return
    what = "silenced" if "silence" in because else f"expected while {because['halt']} is stopped"
    record(
        actor=SYSTEM,
        action=WITHHELD,
        obj=alert,
        reason=f"Overdue, and not escalated: it is {what}",
        before=before,
        after=_describe(alert),
        metadata=because,
        now=now,
    )


def _withheld_before(alert: Alert, because: Mapping[str, Any]) -> bool:
    """The same was the last that the trail has of this alert's escalation: a long stop is not told every few minutes."""
    of_alert = AuditEvent.objects.filter(object_type=alert._meta.label_lower, object_id=str(alert.pk))
    last = of_alert.filter(action__in=(ESCALATED, WITHHELD)).order_by("-id").first()
    if last is None or last.action != WITHHELD:
        return False
    return all(last.metadata.get(name) == because.get(name) for name in ("silence", "activation"))


def _raise(alert: Alert, world: _World) -> None:
    before = _describe(alert)
    level = min(alert.escalation + 1, MOST)
    at_the_top = alert.priority == Priority.CRITICAL and level > _levels(world)
    alert.escalation, alert.priority = level, raised(alert.priority)
    channels = [
        channel for channel in world.channels if channel.escalation <= level and takes(channel, alert)
    ]
    wait = _interval(alert.priority, world)
    if at_the_top:
        wait = max(wait, min(wait * 2 ** min(level - _levels(world), 10), SLOWEST))
    alert.escalate_at = world.now + wait
    # What was settled at the lower priority is asked again.
    alert.settled_until = None
    alert.save(update_fields=["escalation", "priority", "escalate_at", "settled_until"])
    outbox.put(alerts=[alert], kind=DeliveryKind.ESCALATION, now=world.now, channels=channels)
    record(
        actor=SYSTEM,
        action=ESCALATED,
        obj=alert,
        reason="Overdue, and nobody owns it",
        before=before,
        after=_describe(alert),
        metadata={"channels": [channel.name for channel in channels]},
        now=world.now,
    )


def _levels(world: _World) -> int:
    """From this escalation on no further channel comes in."""
    return max((channel.escalation for channel in world.channels), default=0)


def _interval(priority: str, world: _World) -> timedelta:
    wanted = world.times.get(priority)
    return SLOWEST if wanted is None else timedelta(minutes=max(1, wanted.escalate_every_minutes))


def _describe(alert: Alert) -> dict[str, Any]:
    return {
        "priority": alert.priority,
        "escalation": alert.escalation,
        "due_at": alert.due_at,
        "escalate_at": alert.escalate_at,
    }
