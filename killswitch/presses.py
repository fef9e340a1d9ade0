"""The key of a press, kept with the stop it made."""

from datetime import datetime, timedelta

from django.utils import timezone

from killswitch.models import Activation

KEY = "press"
# The page gives up on a press within seconds.
REPEATED_WITHIN = timedelta(minutes=5)


def stopped_by(key: str, *, user_id: int, now: datetime | None = None) -> Activation | None:
    """The stop that this person's press made already, if it did."""
    if not key:
        return None
    recent = Activation.objects.filter(
        user_id=user_id, activated_at__gt=(now or timezone.now()) - REPEATED_WITHIN
    )
    return recent.filter(**{f"metadata__{KEY}": key}).first()
