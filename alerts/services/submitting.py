"""Alerts raised inside the transaction of another change, such as a stop, which must not wait for the lock of the decisions."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.utils import timezone

from alerts.background import Background
from alerts.locking import lock_decisions
from alerts.models import Submission
from alerts.services.raised import RaisedAlert, check
from alerts.services.raising import decide_alerts
from opsconsole.audit.actor import Actor

logger = logging.getLogger(__name__)

# Decided in one transaction.
TOGETHER = 200
MOMENTS = ("starts_at", "ends_at")


def submit(*, actor: Actor, alert: RaisedAlert, now: datetime | None = None) -> None:
    """Write the alert down in the caller's transaction; it is decided right after the commit, by another thread.

    Raises ValueError, naming the field, and RuntimeError outside of a transaction.
    """
    check(alert)
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("submit() belongs in the transaction of the change that the alert tells of")
    Submission.objects.create(at=now or timezone.now(), alert={"by": actor.name, **asdict(alert)})
    transaction.on_commit(_decider.wake, robust=True)


def submit_beside(*, actor: Actor, alert: RaisedAlert, now: datetime) -> None:
    """The same in a savepoint (or a transaction of its own): whatever is wrong with the alerts cannot undo the change that they tell of."""
    try:
        with transaction.atomic():
            submit(actor=actor, alert=alert, now=now)
    except (DatabaseError, ValueError):
        logger.exception("An alert of %s could not be raised: %s", actor.name, alert.title)


def decide_submissions(*, now: datetime | None = None) -> int:
    """Decide what was submitted and not decided yet, oldest first. Returns how many.

    One that cannot be read (written by another version, say) stays, is logged, and holds up none behind it.
    """
    decided, last = 0, 0
    while seen := _decide_some(after=last, now=now):
        last, done = seen
        decided += done
    return decided


def _decide_some(*, after: int, now: datetime | None) -> tuple[int, int] | None:
    """The number of the last row looked at, and how many were decided; None when there was none."""
    with transaction.atomic():
        lock_decisions()
        moment = now or timezone.now()
        rows = list(Submission.objects.filter(pk__gt=after).order_by("pk")[:TOGETHER])
        done = [row.pk for row in rows if _decide(row, moment)]
        Submission.objects.filter(pk__in=done).delete()
    return (rows[-1].pk, len(done)) if rows else None


def _decide(row: Submission, now: datetime) -> bool:
    try:
        given = dict(row.alert)
        actor = Actor.system(given.pop("by"))
        alert = _read(given, raised_at=row.at)
    except (KeyError, TypeError, ValueError):
        logger.exception("Submission %s cannot be read; it stays in alerts_submission", row.pk)
        return False
    decide_alerts(actor=actor, alerts=[alert], now=now)
    return True


def _read(given: Mapping[str, Any], *, raised_at: datetime) -> RaisedAlert:
    moments = {name: given[name] and datetime.fromisoformat(given[name]) for name in MOMENTS}
    moments["starts_at"] = moments["starts_at"] or raised_at
    identity = given["identity"] and UUID(given["identity"])
    return RaisedAlert(**{**given, **moments, "identity": identity})


_decider = Background("alerts-decider", decide_submissions)
