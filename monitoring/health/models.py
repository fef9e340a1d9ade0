"""Components, what came of looking at them, and the signs of life that some of the checks read."""

from datetime import datetime, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alerts.choices import Priority
from monitoring.health.choices import Kind, Status

LONGEST_INTERVAL = 86_400
RUN = 100
MESSAGE = 500
# A result counts for so many intervals; then nothing is known any more.
INTERVALS = 3


class HealthComponent(models.Model):
    """Something that is looked at: how (tuned by `monitoring.health.services` alone), and the newest result (`monitoring.health.storing`)."""

    # Of addresses, metrics and messages; `name` is what people read.
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=16, choices=Kind)
    enabled = models.BooleanField(default=True)
    # The console is unhealthy when this is; else it is degraded.
    essential = models.BooleanField(default=False)
    interval_seconds = models.PositiveIntegerField(
        default=10, validators=[MinValueValidator(2), MaxValueValidator(LONGEST_INTERVAL)]
    )
    # A check that takes longer has failed.
    budget_seconds = models.FloatField(
        default=3.0, validators=[MinValueValidator(0.1), MaxValueValidator(60)]
    )
    failures = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1), MaxValueValidator(RUN)]
    )
    recoveries = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1), MaxValueValidator(RUN)]
    )
    # Of the alert when it is unhealthy; one less when it is degraded.
    priority = models.CharField(max_length=16, choices=Priority, default=Priority.HIGH)
    # Only what differs from `monitoring.health.kinds`.
    settings = models.JSONField(default=dict, blank=True)
    # Of a target: sealed as those of channels are.
    secrets = models.TextField(blank=True, editable=False)
    # The host whose disk, memory or processors are meant. Empty: one of the console's own, the same as long as it lives.
    host = models.CharField(max_length=255, blank=True)
    comment = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(null=True, editable=False)
    updated_by = models.CharField(max_length=150, blank=True, editable=False)

    # Status, as judged from the runs of results (`monitoring.health.state.Standing`).
    status = models.CharField(max_length=16, choices=Status, default=Status.UNKNOWN, editable=False)
    since = models.DateTimeField(null=True, editable=False)
    well = models.SmallIntegerField(default=0, editable=False)
    up = models.SmallIntegerField(default=0, editable=False)
    # The newest result by itself.
    result = models.CharField(max_length=16, choices=Status, default=Status.UNKNOWN, editable=False)
    message = models.CharField(max_length=MESSAGE, blank=True, editable=False)
    response_ms = models.FloatField(null=True, editable=False)
    metadata = models.JSONField(default=dict, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    ran_on = models.CharField(max_length=255, blank=True, editable=False)
    # Who looks next, and when: see `monitoring.health.claiming`.
    due_at = models.DateTimeField(default=timezone.now, editable=False)
    claim = models.UUIDField(null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    # The status that an open alert tells of; empty: there is none.
    told = models.CharField(max_length=16, choices=Status, blank=True, editable=False)
    # Up to here the days' sums are complete.
    summed_until = models.DateTimeField(null=True, editable=False)
    # Since when there is nothing to look at: a trading process that has been gone for a day.
    retired_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["name"]
        permissions = [("tune_health", "Can tune health checks")]
        indexes = [
            # Read by whoever looks for what is due.
            models.Index(fields=["due_at"], name="health_due", condition=Q(enabled=True, retired_at=None)),
        ]

    def __str__(self) -> str:
        return self.name

    def good_until(self) -> datetime | None:
        """When the newest result stops counting. None: there is none."""
        return self.checked_at and self.checked_at + INTERVALS * timedelta(seconds=self.interval_seconds)

    def is_stale(self, *, now: datetime) -> bool:
        """Whether it ought to have been looked at again long ago. What was never looked at is not stale before its first three intervals."""
        until = self.good_until() or self.due_at + INTERVALS * timedelta(seconds=self.interval_seconds)
        return until < now

    def status_at(self, now: datetime) -> Status:
        """The status, or unknown when the newest result is older than three intervals, or the component is not looked at."""
        if not self.enabled or self.checked_at is None or self.is_stale(now=now):
            return Status.UNKNOWN
        return Status(self.status)


class HealthChange(models.Model):
    """One change of status."""

    component = models.ForeignKey(HealthComponent, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    before = models.CharField(max_length=16, choices=Status)
    after = models.CharField(max_length=16, choices=Status)
    # What was found, in words, by the check that decided it.
    message = models.CharField(max_length=MESSAGE, blank=True)
    # How long the status before had lasted. NULL: it was the first.
    lasted_seconds = models.FloatField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["component", "-id"], name="health_change_component"),
            models.Index(fields=["at"], name="health_change_at"),
        ]

    def __str__(self) -> str:
        return f"{self.component_id}: {self.before} → {self.after}"


class HealthDay(models.Model):
    """For how many seconds of one day (of the setting TIME_ZONE) a component had each status."""

    component = models.ForeignKey(HealthComponent, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    healthy = models.FloatField(default=0)
    degraded = models.FloatField(default=0)
    unhealthy = models.FloatField(default=0)
    unknown = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["component", "day"], name="health_one_row_a_day")]

    def __str__(self) -> str:
        return f"{self.component_id} {self.day}"


class Pulse(models.Model):
    """A sign of life that a process of the console writes every few seconds: `beat`, or `hub:<id>`."""

    name = models.CharField(max_length=80, unique=True)
    at = models.DateTimeField()
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["at"], name="health_pulse_at")]

    def __str__(self) -> str:
        return self.name


class ProbeJob(models.Model):
    """A job that a check has sent through a queue, and the worker that did it."""

    token = models.UUIDField(primary_key=True)
    queue = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=255, blank=True)

    class Meta:
        indexes = [models.Index(fields=["sent_at"], name="health_job_sent")]

    def __str__(self) -> str:
        return f"{self.queue} {self.token}"
