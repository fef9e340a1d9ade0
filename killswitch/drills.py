"""When the next drill is due: a stop that nobody has tried for a month is a stop that nobody has proven."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from killswitch.models import Activation

EVERY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Due:
    """`last`: the newest drill that was proven, or None."""

    last: Activation | None
    now: datetime

    @property
    def due(self) -> datetime:
        return self.last.activated_at + EVERY if self.last else self.now

    @property
    def overdue(self) -> bool:
        return self.due <= self.now


def due(*, now: datetime | None = None) -> Due:
    last = Activation.objects.filter(drill=True, stopped_at__isnull=False).order_by("-id").first()
    return Due(last=last, now=now or timezone.now())
