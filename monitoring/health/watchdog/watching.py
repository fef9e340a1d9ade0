"""Who looks whether the canary stays away: the health runners of all web processes, and of workers while beat ticks. One looks at a time."""

from datetime import datetime, timedelta
from time import monotonic

from django.db import connection, transaction

from monitoring.health.pulsing import began_at
from monitoring.health.watchdog import alarms, selectors
from monitoring.health.watchdog.canaries import TOPIC
from monitoring.health.watchdog.models import Canary, CanaryState, Watch
from monitoring.health.watchdog.stages import Passing, Stage
from opsconsole.audit.services import record
from opsconsole.live.publish import publish

# Between two looks, of all processes together. Seconds.
EVERY = 5.0


class Watching:
    """Of one process."""

    def __init__(self) -> None:
        self._next = float("-inf")

    def look(self, *, now: datetime) -> None:
        """Look, if it is time and nobody else does. Raises the database's errors."""
        if monotonic() < self._next:
            return
        self._next = monotonic() + EVERY
        look(now=now, began=began_at())


@transaction.atomic
def look(*, now: datetime, began: datetime) -> bool:
    """Judge, store and tell. `began`: of this process. Returns whether this call has looked."""
    watch = Watch.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=1).first()
    # Half a turn is left, so that two processes do not take turns in looking twice as often.
    if watch is None or (watch.looked_at and now - watch.looked_at < timedelta(seconds=EVERY / 2)):
        return False
    found = selectors.watched(now=now, began=began)
    changed = _note(watch, found.late, now=now)
    said = alarms.tell(watch, found.late, error=_error(found.late), now=now)
    watch.looked_at = now
    watch.save()
    if changed or said:
        publish(TOPIC)
        # What health says of the whole has changed.
        publish("health")
    else:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")
    return True


def _note(watch: Watch, late: Passing | None, *, now: datetime) -> bool:
    stage = str(late.stage) if late else ""
    if stage == watch.late:
        return False
    before = watch.late
    watch.late, watch.since = stage, now
    record(
        actor=alarms.ACTOR,
        action="watchdog.lost" if stage else "watchdog.back",
        object_type="monitoring.watch",
        object_id="1",
        object_label=Stage(stage or before).label,
        reason="",
        before={"late": before or None},
        after={"late": stage or None},
        now=now,
    )
    return True


def _error(late: Passing | None) -> str:
    """Why the newest call got no answer."""
    if late is None or late.stage != Stage.OUTSIDE:
        return ""
    newest = Canary.objects.filter(state=CanaryState.FAILED).order_by("-id").first()
    return newest.error if newest else ""
