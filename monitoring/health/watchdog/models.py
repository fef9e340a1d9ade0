"""Canaries, and what the watch over them has come to."""

from django.db import models
from django.db.models import Q

from monitoring.health.watchdog.stages import Stage

LONGEST_ERROR = 300


class CanaryState(models.TextChoices):
    # In the outbox.
    WAITING = "waiting"
    # The address outside is being called; if it stays so, who called has died.
    CALLING = "calling"
    ANSWERED = "answered"
    FAILED = "failed"
    # No address is set, so the outbox is its end.
    NO_ADDRESS = "no_address"
    # A newer one came by first: the outbox did not move in time.
    OVERTAKEN = "overtaken"


class Canary(models.Model):
    """One canary, with the time at which it came by each stage."""

    sent_at = models.DateTimeField()
    worker_at = models.DateTimeField()
    worker = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=16, choices=CanaryState, default=CanaryState.WAITING)
    outbox_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    # Why it was not answered. Without the address: that is a secret.
    error = models.CharField(max_length=LONGEST_ERROR, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # Read by the outbox at every turn.
            models.Index(fields=["id"], name="canary_waiting", condition=Q(state=CanaryState.WAITING)),
            models.Index(fields=["worker_at"], name="canary_at"),
        ]

    def __str__(self) -> str:
        return f"Canary {self.pk}"


class Watch(models.Model):
    """One row: what is dead. `late` empty: nothing is. Whoever holds its lock looks."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    late = models.CharField(max_length=16, choices=Stage, blank=True)
    since = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)
    # The stage that an open alert tells of; empty: there is none.
    told = models.CharField(max_length=16, choices=Stage, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="watch_is_one_row")]

    def __str__(self) -> str:
        return self.late or "nothing is late"
