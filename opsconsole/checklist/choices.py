"""Words of the checklist."""

from django.db import models


class Verdict(models.TextChoices):
    """Of one line. Unknown is never green."""

    GREEN = "green"
    RED = "red"
    UNKNOWN = "unknown"


class Progress(models.TextChoices):
    """Of a day."""

    SIGNED = "signed"
    OPEN = "open"
    OVERDUE = "overdue"
    # Nobody is asked for it: the weekend, say.
    NOT_ASKED = "not_asked"


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
