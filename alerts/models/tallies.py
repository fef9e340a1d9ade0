"""How many alerts, by hour, minute, day and kind."""

from django.db import models
from django.db.models import Q

from alerts.choices import Category, Decision, Priority


class HourCount(models.Model):
    """How many alerts of a category were sent in one clock hour (UTC); what the rate limit looks at."""

    category = models.CharField(max_length=32, choices=Category)
    hour = models.DateTimeField()
    sent = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["category", "hour"], name="one_count_an_hour")]


class MinuteTally(models.Model):
    """How many alerts were raised in one minute, by what became of them; what statistics and the noise report read."""

    minute = models.DateTimeField()
    category = models.CharField(max_length=32, choices=Category)
    priority = models.CharField(max_length=16, choices=Priority)
    decision = models.CharField(max_length=16, choices=Decision)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["minute", "category", "priority", "decision"], name="one_tally_a_minute"
            )
        ]
        # The noise report. No column that is counted up, so that counting writes no index.
        indexes = [models.Index(fields=["minute"], name="tally_sent", condition=Q(decision=Decision.SENT))]


class HourTally(models.Model):
    """MinuteTally summed up by whole hours and days (UTC) that are over; the rows of one are all there, or none (alerts.services.tallies)."""

    hour = models.DateTimeField()
    # 1, or 24 from midnight on.
    hours = models.PositiveSmallIntegerField(default=1)
    category = models.CharField(max_length=32, choices=Category)
    priority = models.CharField(max_length=16, choices=Priority)
    decision = models.CharField(max_length=16, choices=Decision)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hours", "hour", "category", "priority", "decision"], name="one_tally_an_hour"
            )
        ]


class TenMinuteTally(models.Model):
    """How many alerts were sent in ten minutes, by category; whole hours that are over, as HourTally. What the noise report counts floods by."""

    # Ten minutes since 1970 (UTC).
    number = models.PositiveIntegerField()
    category = models.CharField(max_length=32, choices=Category)
    sent = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["number", "category"], name="one_tally_ten_minutes")]


class KindTally(models.Model):
    """How often one kind of alert (category and title) was raised, sent and acted on, in one UTC day."""

    day = models.DateField()
    category = models.CharField(max_length=32, choices=Category)
    title = models.CharField(max_length=200)
    raised = models.PositiveBigIntegerField(default=0)
    sent = models.PositiveBigIntegerField(default=0)
    # Acknowledged, assigned, silenced or resolved by somebody.
    acted = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "category", "title"], name="one_tally_a_kind_and_day")
        ]
