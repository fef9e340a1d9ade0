"""How alerts are decided: rules, meanings of labels, response times, and the version of all of it."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from alerts.choices import Category, Priority

HOUR = [MinValueValidator(0), MaxValueValidator(23)]


class Policy(models.Model):
    """One row: the version of everything that decides (rules, silences, label rules, halts). Grows with each change.

    An alert that was decided under this version may be counted as a repeat without asking every gate again.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=1)
    # Grows whenever somebody takes the lock of the decisions alone: as long as it is the same, no incident was decided, and none has ended.
    turn = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="policy_is_one_row")]


class AlertRule(models.Model):
    """How the alerts of one category are filtered."""

    category = models.CharField(max_length=32, choices=Category, unique=True)
    enabled = models.BooleanField(default=True)
    default_priority = models.CharField(max_length=16, choices=Priority)
    min_priority = models.CharField(max_length=16, choices=Priority, default=Priority.LOW)
    max_per_hour = models.PositiveIntegerField(default=20, validators=[MaxValueValidator(100_000)])
    dedupe_window_minutes = models.PositiveIntegerField(default=15, validators=[MaxValueValidator(10_080)])
    # Hours of the day in `time_zone`; the same hour twice means that there are no quiet hours.
    quiet_start = models.PositiveSmallIntegerField(default=22, validators=HOUR)
    quiet_end = models.PositiveSmallIntegerField(default=7, validators=HOUR)
    # Empty: the desk's own zone (TIME_ZONE).
    time_zone = models.CharField(max_length=64, blank=True)
    # What is at least this urgent is sent at night, too.
    quiet_passes = models.CharField(max_length=16, choices=Priority, default=Priority.CRITICAL)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(null=True)
    updated_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["id"]
        permissions = [("tune", "Can tune alert rules, label rules and channels")]
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_start__lte=23, quiet_end__lte=23), name="rule_quiet_hours_of_the_day"
            ),
            models.CheckConstraint(condition=Q(dedupe_window_minutes__lte=10_080), name="rule_window_a_week"),
        ]

    def __str__(self) -> str:
        return self.category


class LabelRule(models.Model):
    """What labels from outside (Prometheus) mean here. The first enabled one that matches gives category, and priority."""

    position = models.PositiveSmallIntegerField(default=100)
    enabled = models.BooleanField(default=True)
    # [{"name", "value", "isRegex", "isEqual"}], all of which must match; as in a silence.
    matchers = models.JSONField(default=list)
    category = models.CharField(max_length=32, choices=Category, blank=True)
    priority = models.CharField(max_length=16, choices=Priority, blank=True)
    comment = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"Label rule {self.position}"


class ResponseTime(models.Model):
    """Within how long somebody must own an alert of this priority (guide 8.3)."""

    priority = models.CharField(max_length=16, choices=Priority, unique=True)
    minutes = models.PositiveIntegerField(default=0)
    # Then `minutes` is not used: due at the end of the next business day.
    next_business_day = models.BooleanField(default=False)
    # Between an escalation and the next one, and between "immediate" and the first.
    escalate_every_minutes = models.PositiveIntegerField(default=15, validators=[MinValueValidator(1)])

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.priority
