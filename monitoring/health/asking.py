"""Looking now, because somebody asks: whoever may read may ask, and nobody can make the console work for him."""

import threading
from datetime import timedelta

from django.utils import timezone

from monitoring.health.runner import refresh

# Nothing is looked at again within this time, whoever asks and however often.
NOT_WITHIN = timedelta(seconds=5)
# Requests of one process that may wait for checks; the others get what is known.
AT_ONCE = 2

_asking = threading.BoundedSemaphore(AT_ONCE)


def look() -> int | None:
    """How many were looked at now; it takes as long as the slowest check may. None: too many wait here already, so nothing was begun."""
    if not _asking.acquire(blocking=False):
        return None
    try:
        return refresh(now=timezone.now(), not_within=NOT_WITHIN)
    finally:
        _asking.release()
