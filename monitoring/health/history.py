"""How long the past is kept."""

from datetime import datetime, timedelta

from django.utils import timezone

from monitoring.health.models import HealthChange, HealthDay

CHANGES_KEPT = timedelta(days=366)
# The pages show 90.
DAYS_KEPT = timedelta(days=400)
# Deleted at once, so that nobody waits long.
MOST = 10_000


def forget(*, now: datetime) -> int:
    """Delete changes and days that are too old, so many of each at most. Returns how many; the next call goes on."""
    old = HealthChange.objects.filter(at__lt=now - CHANGES_KEPT).order_by("at").values("pk")[:MOST]
    day = timezone.localtime(now - DAYS_KEPT).date()
    return (
        HealthChange.objects.filter(pk__in=old).delete()[0]
        + HealthDay.objects.filter(pk__in=HealthDay.objects.filter(day__lt=day).values("pk")[:MOST]).delete()[
            0
        ]
    )
