"""The alert that names what is dead. It goes another way than the canary: what is urgent needs neither beat nor queue nor the ordinary outbox.

What health tells of already is not told beside it, but is told if it outlasts that.
"""

from collections.abc import Mapping
from datetime import datetime

from alerts.choices import Category, Priority
from alerts.services.raised import RaisedAlert
from alerts.services.submitting import submit_beside
from monitoring.health.choices import Kind, Status
from monitoring.health.models import HealthComponent
from monitoring.health.watchdog.models import Watch
from monitoring.health.watchdog.stages import Passing, Stage
from opsconsole.audit.actor import Actor

ACTOR = Actor.system("watchdog")
SOURCE = "watchdog"
TITLES: Mapping[Stage, str] = {
    Stage.BEAT: "Watchdog: beat does not tick",
    Stage.WORKER: "Watchdog: no worker takes jobs",
    Stage.OUTBOX: "Watchdog: the outbox does not move",
    Stage.OUTSIDE: "Watchdog: no answer from outside",
}
# Components of health whose failure is the same, or explains it.
SAME: Mapping[Stage, tuple[Kind, ...]] = {
    Stage.BEAT: (Kind.BEAT, Kind.REDIS),
    Stage.WORKER: (Kind.WORKER, Kind.REDIS),
    Stage.OUTBOX: (Kind.OUTBOX, Kind.WORKER, Kind.REDIS),
    Stage.OUTSIDE: (),
}


def tell(watch: Watch, late: Passing | None, *, error: str = "", now: datetime) -> bool:
    """Raise and resolve what it asks for, in the transaction that stores it; sets `told`. Returns whether there was anything."""
    wanted = "" if late is None or _is_excused(watch, late) else str(late.stage)
    if wanted == watch.told:
        return False
    if watch.told:
        submit_beside(actor=ACTOR, alert=_alert(Stage(watch.told), "", resolved=True), now=now)
    if late is not None and wanted:
        submit_beside(actor=ACTOR, alert=_alert(late.stage, _words(late, error)), now=now)
    watch.told = wanted
    return True


def _is_excused(watch: Watch, late: Passing) -> bool:
    if watch.told == late.stage:
        return False
    same = HealthComponent.objects.filter(kind__in=SAME[late.stage], enabled=True, retired_at=None)
    return same.filter(told=Status.UNHEALTHY).exists()


def _words(late: Passing, error: str) -> str:
    age = (
        f"The last sign of it is {late.age.total_seconds():,.0f} s old"
        if late.age
        else "There was never a sign of it"
    )
    cause = f"; {error}" if error else ""
    return f"{age}, {late.limit.total_seconds():.0f} s are allowed{cause}."


def _alert(stage: Stage, message: str, *, resolved: bool = False) -> RaisedAlert:
    # The outbox works when only the answer is missing; and whoever waits outside tells of it, too.
    urgent = stage != Stage.OUTSIDE
    return RaisedAlert(
        category=Category.SYSTEM_ERROR,
        priority=Priority.CRITICAL if urgent else Priority.HIGH,
        title=TITLES[stage],
        message=message,
        labels={"watchdog": str(stage)},
        details={"stage": str(stage)},
        source=SOURCE,
        force=urgent,
        resolved=resolved,
        dedupe_key=f"watchdog:{stage}",
    )
