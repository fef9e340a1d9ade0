"""The canary's way: a worker lets it fly, the outbox takes it, the address outside answers.

Each step is written down where it is done, in a transaction of its own; the call is in none.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from alerts.channels.base import SendFailed
from alerts.services import outbox
from monitoring.health.watchdog import calling
from monitoring.health.watchdog.models import LONGEST_ERROR, Canary, CanaryState, Watch
from monitoring.health.watchdog.stages import EVERY
from opsconsole.audit.storable import storable_text
from opsconsole.live.publish import publish

logger = logging.getLogger(__name__)

# Of several beats, the others send theirs into the same minute.
TOO_SOON = EVERY - timedelta(seconds=15)
KEPT = timedelta(days=7)
TOPIC = "watchdog"


@transaction.atomic
def fly(*, sent_at: datetime, worker: str, now: datetime) -> Canary | None:
    """A worker's turn. None: one has flown just now."""
    Watch.objects.select_for_update(no_key=True).get(pk=1)
    if Canary.objects.filter(worker_at__gt=now - TOO_SOON).exists():
        return None
    # Clocks of two hosts may differ.
    canary = Canary.objects.create(
        sent_at=min(sent_at, now), worker_at=now, worker=storable_text(worker, length=255)
    )
    publish(TOPIC)
    transaction.on_commit(lambda: outbox.wake(critical=False), robust=True)
    return canary


def carry(*, clock: Callable[[], datetime]) -> None:
    """The outbox's turn: call the address for the newest that waits."""
    canary = _take(now=clock())
    if canary is None or canary.state == CanaryState.NO_ADDRESS:
        return
    error = ""
    try:
        calling.call()
    except SendFailed as failure:
        error = failure.text
    except Exception as fault:
        # Of ours. Its text may hold the address.
        logger.error("The watchdog's address could not be called (%s)", type(fault).__name__)
        error = f"A fault of the console ({type(fault).__name__})"
    _end(canary, error, now=clock())


def forget(*, now: datetime) -> int:
    """Delete what is too old. Returns how many."""
    return Canary.objects.filter(worker_at__lt=now - KEPT).delete()[0]


def _take(*, now: datetime) -> Canary | None:
    if not Canary.objects.filter(state=CanaryState.WAITING).exists():
        return None
    with transaction.atomic():
        waiting = list(
            Canary.objects.select_for_update(no_key=True, skip_locked=True).filter(state=CanaryState.WAITING)
        )
        if not waiting:
            return None
        newest = waiting[0]
        newest.outbox_at = now
        newest.state = CanaryState.CALLING if calling.is_set() else CanaryState.NO_ADDRESS
        newest.save(update_fields=["outbox_at", "state"])
        others = Canary.objects.filter(pk__in=[canary.pk for canary in waiting[1:]])
        others.update(state=CanaryState.OVERTAKEN)
        publish(TOPIC)
    return newest


@transaction.atomic
def _end(canary: Canary, error: str, *, now: datetime) -> None:
    canary.state = CanaryState.FAILED if error else CanaryState.ANSWERED
    canary.answered_at = None if error else now
    canary.error = storable_text(error, length=LONGEST_ERROR)
    canary.save(update_fields=["state", "answered_at", "error"])
    publish(TOPIC)
