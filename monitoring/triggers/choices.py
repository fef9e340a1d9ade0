"""Words of the triggers."""

from django.db import models


class Aggregate(models.TextChoices):
    """How many series become one value."""

    LARGEST = "LARGEST", "largest of the newest values"
    SMALLEST = "SMALLEST", "smallest of the newest values"
    SUM = "SUM", "sum of the newest values"
    INCREASE = "INCREASE", "increase within the window"
    INCREASE_DAY = "INCREASE_DAY", "increase within the trading day"
    INCREASE_MONTH = "INCREASE_MONTH", "increase within the month"


INCREASES = frozenset({Aggregate.INCREASE, Aggregate.INCREASE_DAY, Aggregate.INCREASE_MONTH})


class Comparison(models.TextChoices):
    ABOVE = "ABOVE", "at or above the threshold"
    BELOW = "BELOW", "at or below the threshold"


class Act(models.TextChoices):
    """What a trigger does. There is no third: a trigger is never silent."""

    ALERT = "ALERT", "alert"
    STOP = "STOP", "stop trading"


class Problem(models.TextChoices):
    """Why there is no value to decide by."""

    MISSING = "MISSING", "missing"
    STALE = "STALE", "stale"
    ERROR = "ERROR", "error"


class Condition(models.TextChoices):
    # Nobody has reported the metric since the trigger is there.
    WAITING = "WAITING"
    CLEAR = "CLEAR"
    CONFIRMING = "CONFIRMING"
    TRIPPED = "TRIPPED"
