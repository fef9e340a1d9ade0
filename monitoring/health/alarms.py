"""The alerts that health raises: one while a component is unhealthy, a lesser one while it is degraded; resolved when that is over.

What follows from something else that is unhealthy (workers do nothing without Redis) is not told beside it, but is told if it outlasts it.
"""

from collections.abc import Sequence
from datetime import datetime

from alerts.choices import Category, Priority
from alerts.services.raised import RaisedAlert
from alerts.services.submitting import submit_beside
from killswitch import alarms as killswitch
from killswitch.models import TradingClient
from monitoring.health.choices import Kind, Status
from monitoring.health.kinds import KINDS
from monitoring.health.models import HealthComponent
from opsconsole.audit.actor import Actor

ACTOR = Actor.system("health")
SOURCE = "health"
LONGEST_MESSAGE = 2000
ABNORMAL = frozenset({Status.DEGRADED, Status.UNHEALTHY})
LESS = {
    Priority.CRITICAL: Priority.HIGH,
    Priority.HIGH: Priority.MEDIUM,
    Priority.MEDIUM: Priority.LOW,
    Priority.LOW: Priority.LOW,
}


def tell(rows: Sequence[HealthComponent], *, now: datetime) -> bool:
    """Raise and resolve what their statuses ask for, in the transaction that stores them; sets `told`. Returns whether there was anything."""
    excused = _excused(rows)
    said = False
    for row in rows:
        wanted = _wanted(row, excused)
        if wanted != row.told:
            _say(row, wanted, now=now)
            row.told = wanted
            said = True
    return said


def withdrawn(row: HealthComponent, *, now: datetime) -> None:
    """It is not looked at any more, or in another way: what was said is over."""
    if row.told:
        _say(row, "", now=now)
        row.told = ""


def key_of(slug: str, status: str) -> str:
    """By which the alert that tells of this status of the component is known."""
    return f"health-{status}:{slug}"


def _wanted(row: HealthComponent, excused: frozenset[Kind]) -> str:
    """The status to tell of; empty: nothing. What is told stays so while its cause has an alert of its own."""
    if row.status not in ABNORMAL:
        return ""
    if Kind(row.kind) == Kind.CLIENT and row.status != Status.UNHEALTHY:
        # The kill switch tells of a process that overrides stops, or has stopped itself.
        return ""
    if not row.told and excused.intersection(KINDS[Kind(row.kind)].follows):
        return ""
    return row.status


def _excused(rows: Sequence[HealthComponent]) -> frozenset[Kind]:
    """The kinds that explain failures now: essential ones whose newest look says unhealthy, even if that is not certain yet."""
    causes = {
        cause
        for row in rows
        if row.status in ABNORMAL and not row.told
        for cause in KINDS[Kind(row.kind)].follows
    }
    if not causes:
        return frozenset()
    # This transaction may have newer ones than the table.
    newest = {row.pk: row for row in HealthComponent.objects.filter(kind__in=causes, enabled=True)}
    newest |= {row.pk: row for row in rows if row.kind in causes}
    return frozenset(
        Kind(row.kind) for row in newest.values() if Status.UNHEALTHY in (row.status, row.result)
    )


def _say(row: HealthComponent, wanted: str, *, now: datetime) -> None:
    if Kind(row.kind) == Kind.CLIENT:
        _say_contact(row, lost=bool(wanted), now=now)
        return
    if row.told:
        submit_beside(actor=ACTOR, alert=_alert(row, row.told, resolved=True), now=now)
    if wanted:
        submit_beside(actor=ACTOR, alert=_alert(row, wanted), now=now)


def _say_contact(row: HealthComponent, *, lost: bool, now: datetime) -> None:
    """In the kill switch's own words, so that whoever of the two notices first tells of it and both mean one incident."""
    client = (
        TradingClient.objects.filter(name=row.settings.get("client")).order_by("-last_seen", "-pk").first()
    )
    if client is None:
        return
    if lost:
        killswitch.stale(client, now=now)
    else:
        killswitch.back(client, now=now)


def _alert(row: HealthComponent, status: str, *, resolved: bool = False) -> RaisedAlert:
    unhealthy = status == Status.UNHEALTHY
    priority = Priority(row.priority) if unhealthy else LESS[Priority(row.priority)]
    return RaisedAlert(
        category=Category.SYSTEM_ERROR,
        priority=priority,
        title=f"{row.name} is {status}",
        message=_plain(row.message),
        labels={"component": row.slug},
        details={"component": row.slug, "status": status},
        source=SOURCE,
        # A dead worker, say, must be told of although nobody is left to tell of anything less.
        force=priority == Priority.CRITICAL,
        resolved=resolved,
        dedupe_key=key_of(row.slug, status),
    )


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)[:LONGEST_MESSAGE].strip()
