"""Looking now, because somebody asks: whoever may read may ask, and nobody can make the console work for him."""

import threading
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from monitoring.health.choices import OF_HOSTS
from monitoring.health.models import HealthComponent
from monitoring.health.runner import refresh

# Nothing is looked at again within this time, whoever asks and however often.
NOT_WITHIN = timedelta(seconds=5)
# Requests of one process that may wait for checks; the others get what is known.
AT_ONCE = 2

_asking = threading.BoundedSemaphore(AT_ONCE)


def look(*, only: int | None = None) -> int | None:
    """Look at everything now, or at the component `only`; it takes as long as the slowest check may. How many were looked at.

    What another host looks at is due there at once. None: too many wait here already, so nothing was begun.
    """
    if not _asking.acquire(blocking=False):
        return None
    try:
        now = timezone.now()
        looked = refresh(now=now, not_within=NOT_WITHIN, only=only)
        _hasten(only, now=now)
        return looked
    finally:
        _asking.release()


def _hasten(only: int | None, *, now: datetime) -> None:
    """Disk, memory and processors of other hosts: their runners look twice a second for what is due."""
    left = HealthComponent.objects.filter(
        Q(claimed_until=None) | Q(claimed_until__lt=now),
        kind__in=OF_HOSTS,
        enabled=True,
        retired_at=None,
        checked_at__lte=now - NOT_WITHIN,
        due_at__gt=now,
    )
    (left if only is None else left.filter(pk=only)).update(due_at=now)
