"""Channels, and what was sent through them."""

from uuid import uuid4

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from alerts.choices import AttemptOutcome, ChannelKind, DeliveryKind, DeliveryState, Priority
from alerts.models.alert import Alert


class Channel(models.Model):
    """Where alerts are told. `settings` anybody may see; `secrets` are sealed (alerts.sealing)."""

    name = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=16, choices=ChannelKind)
    enabled = models.BooleanField(default=True)
    settings = models.JSONField(default=dict)
    secrets = models.TextField(blank=True)
    # What it is told: these categories (none: all), from this priority on.
    categories = models.JSONField(default=list, blank=True)
    min_priority = models.CharField(max_length=16, choices=Priority, default=Priority.LOW)
    # 0: told at once. 1, 2, …: told by the first, second, … escalation.
    escalation = models.PositiveSmallIntegerField(default=0)
    # Told instead when this one has failed.
    fallback = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    # Pacing: no send before this time; and when it was used in the last minute (Unix seconds, oldest first).
    next_at = models.DateTimeField(null=True)
    sent_times = models.JSONField(default=list, blank=True)
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    failures_in_a_row = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AlertMessage(models.Model):
    """The one message that a channel shows for an incident, so that it can be edited and answered."""

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="messages")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    # The channel's own id of the message, such as `{"chat": -100, "message": 88412}`.
    external = models.JSONField()
    sent_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "channel"], name="one_message_an_incident")]


class Delivery(models.Model):
    """Something to be told through one channel. Written with the decision; a worker claims it when it is due."""

    id = models.BigAutoField(primary_key=True)
    # NULL: a digest or a test.
    alert = models.ForeignKey(Alert, null=True, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.ForeignKey(Channel, null=True, on_delete=models.SET_NULL, related_name="deliveries")
    channel_name = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=DeliveryKind)
    priority = models.CharField(max_length=16, choices=Priority)
    state = models.CharField(max_length=16, choices=DeliveryState, default=DeliveryState.PENDING)
    # What a digest or a test says; for alerts the text is made when it is sent.
    content = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    # For its receiver: the same for every try, so that duplicates can be told.
    key = models.UUIDField(default=uuid4, editable=False)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    # Tries that failed since it was written, or since somebody sent it again; they decide how long to wait and when to give up.
    failures = models.PositiveIntegerField(default=0)
    # When somebody took it back from the dead letters.
    resent_at = models.DateTimeField(null=True)
    # While SENDING: whose it is, and until when.
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    # Why it was not tried at one time, as alerts.guarding.Held has it; empty: it always was.
    held = models.JSONField(default=dict, blank=True)
    # An earlier try may have arrived.
    maybe_duplicate = models.BooleanField(default=False)
    # The delivery that failed, for which this one stands in.
    instead_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="stand_ins")

    class Meta:
        permissions = [("resend", "Can send a delivery again")]
        indexes = [
            # What workers claim, channel by channel; what is urgent first.
            models.Index(
                fields=["channel", "due_at", "id"],
                name="delivery_due",
                condition=Q(state=DeliveryState.PENDING),
            ),
            models.Index(
                fields=["channel", "due_at", "id"],
                name="delivery_urgent",
                condition=Q(state=DeliveryState.PENDING, priority=Priority.CRITICAL),
            ),
            # What a dead worker left behind.
            models.Index(
                fields=["claimed_until"], name="delivery_claimed", condition=Q(state=DeliveryState.SENDING)
            ),
            models.Index(fields=["-id"], name="delivery_dead", condition=Q(state=DeliveryState.DEAD)),
            models.Index(fields=["channel", "-id"], name="delivery_channel"),
            # The statistics by channel, without a look at the rows.
            models.Index(fields=["channel_name", "state", "created_at"], name="delivery_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel_name} #{self.pk}"


class DeliveryAttempt(models.Model):
    """One try. Written before the call, completed after it."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="tries")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=AttemptOutcome, default=AttemptOutcome.OPEN)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=500, blank=True)
    # Seconds that the other side asked us to wait.
    retry_after = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="one_row_a_try")]
