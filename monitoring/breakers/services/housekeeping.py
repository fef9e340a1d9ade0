"""What goes on by itself: the end of incidents whose processes are gone, and of what is older than it is kept."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from killswitch.locking import bounded, database_time
from monitoring.breakers.models import BreakerCommand, BreakerProcess, BreakerTransition, CircuitBreaker
from monitoring.breakers.services.incidents import close_gone
from opsconsole.live.publish import publish

HISTORY_KEPT = timedelta(days=90)
# A week's time in OPEN is also that of processes that have died open.
PROCESSES_KEPT = timedelta(days=8)
# Rows deleted in one transaction, and transactions of one kind in one call.
PIECE, PIECES = 2000, 200


@bounded
def sweep(*, now: datetime | None = None) -> int:
    """End the incidents whose processes are gone. Returns how many."""
    ended = close_gone(now=now or database_time())
    if ended:
        publish("breakers")
    return ended


def forget(*, now: datetime) -> int:
    """Delete, in pieces, changes of state and commands of long ago, processes that are long gone, and breakers of which nothing is left.

    Returns how many rows.
    """
    history, gone = now - HISTORY_KEPT, now - PROCESSES_KEPT
    return (
        _forget(lambda: BreakerTransition.objects.filter(at__lt=history).order_by("at"))
        + _forget(lambda: BreakerCommand.objects.filter(at__lt=history).order_by("at"))
        + _forget(lambda: BreakerProcess.objects.filter(reported_at__lt=gone).order_by("reported_at"))
        # One that processes were told something of stays: they know its version.
        + _forget(
            lambda: CircuitBreaker.objects.filter(
                first_seen__lt=history, version=0, revision=1, states=None, transitions=None
            ).order_by("pk")
        )
    )


def _forget(old: "Callable[[], QuerySet[Any]]") -> int:
    deleted = 0
    for _ in range(PIECES):
        with transaction.atomic():
            ids = list(old().values_list("pk", flat=True)[:PIECE])
            old().model.objects.filter(pk__in=ids).delete()
        deleted += len(ids)
        if len(ids) < PIECE:
            break
    return deleted
