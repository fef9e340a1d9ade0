"""Switches, activations, trading processes and the proof that each of them stopped."""

from datetime import time

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from killswitch.choices import CommandKind, CommandState, Every, Mode, ProofState, Reason, Reminder
from killswitch.drill_schedule import LAST_DAY, MOST_DAYS, MOST_REMIND_DAYS
from opsconsole.audit.choices import ActorKind


class Epoch(models.Model):
    """The one number that grows with every stop, re-arm, drill and command.

    A row and not a sequence: whoever changes the state holds its lock until commit, so epochs become visible in order.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    value = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="epoch_is_one_row")]


class TradingClient(models.Model):
    """One trading process: an instance of a named client, from its first connection to its end."""

    name = models.CharField(max_length=64)
    instance = models.CharField(max_length=32)
    host = models.CharField(max_length=255, blank=True)
    pid = models.PositiveIntegerField(null=True)
    version = models.CharField(max_length=32, blank=True)
    scopes = models.JSONField(default=list)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    # Stream: which hub holds it (empty: none), since when, and the latest time until which a lease given may count.
    hub = models.CharField(max_length=32, blank=True)
    connected_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    acknowledged_epoch = models.BigIntegerField(default=0)
    # When it said that it was closing; and since when it is missed, because it went without saying so.
    left_at = models.DateTimeField(null=True)
    stale_since = models.DateTimeField(null=True)
    # What the process itself says is at the venue. NULL: it does not know.
    open_orders = models.PositiveIntegerField(null=True)
    positions = models.JSONField(null=True)
    last_order = models.CharField(max_length=200, blank=True)
    exposure_at = models.DateTimeField(null=True)
    local_stop = models.JSONField(null=True)
    override = models.JSONField(null=True)

    class Meta:
        permissions = [("connect_tradingclient", "Can connect as a trading process")]
        constraints = [models.UniqueConstraint(fields=["name", "instance"], name="client_instance")]
        indexes = [
            models.Index(fields=["-last_seen", "-id"], name="client_last_seen"),
            models.Index(fields=["hub"], name="client_connected", condition=~Q(hub="")),
            models.Index(fields=["name"], name="client_stale", condition=Q(stale_since__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})" if self.pid else self.name

    @property
    def connected(self) -> bool:
        return bool(self.hub)


class Activation(models.Model):
    """One episode of one scope: a stop or a drill, from the press to the re-arm."""

    scope = models.CharField(max_length=100)
    mode = models.CharField(max_length=16, choices=Mode)
    drill = models.BooleanField(default=False)
    epoch = models.BigIntegerField()
    reason = models.CharField(max_length=32, choices=Reason)
    message = models.TextField(blank=True)
    metadata = models.JSONField(default=dict)
    warnings = models.JSONField(default=list)
    activated_at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16, choices=ActorKind)
    activated_by = models.CharField(max_length=150)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    # A time by which the commit is known to have happened, read in a later transaction.
    confirmed_at = models.DateTimeField(null=True)
    # The bound that held at the time: the lease's term.
    term_ms = models.PositiveIntegerField()
    # Set with the last proof.
    stopped_at = models.DateTimeField(null=True)
    time_to_stop_ms = models.FloatField(null=True)
    # Set when the proof was not complete long after the bound.
    unproven_since = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=150, blank=True)
    ended_message = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("stop", "Can stop trading"),
            ("rearm", "Can re-arm trading"),
            ("drill", "Can run a kill-switch drill"),
            ("command", "Can cancel orders and close positions"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "drill"], condition=Q(ended_at=None), name="one_open_activation"
            ),
            models.CheckConstraint(condition=~Q(mode=Mode.ACTIVE), name="activation_stops_something"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("activated_at")),
                name="activation_ends_after_start",
            ),
        ]
        indexes = [
            # Read by the settler: episodes whose proof is not complete.
            models.Index(
                fields=["id"], name="activation_unproven", condition=Q(stopped_at=None, ended_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{'Drill' if self.drill else self.mode} {self.scope} #{self.pk}"


class Switch(models.Model):
    """The present state of one scope. A scope without a row is ACTIVE."""

    scope = models.CharField(max_length=100, unique=True)
    mode = models.CharField(max_length=16, choices=Mode, default=Mode.ACTIVE)
    epoch = models.BigIntegerField(default=0)
    since = models.DateTimeField()
    by = models.CharField(max_length=150)
    # The episode that is open now; NULL while ACTIVE.
    activation = models.ForeignKey(Activation, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "switches"
        constraints = [
            models.CheckConstraint(
                condition=Q(mode=Mode.ACTIVE, activation=None)
                | (~Q(mode=Mode.ACTIVE) & Q(activation__isnull=False)),
                name="switch_has_its_activation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.mode}"


class Acknowledgement(models.Model):
    """The proof of one trading process in one activation."""

    activation = models.ForeignKey(Activation, on_delete=models.PROTECT, related_name="acknowledgements")
    client = models.ForeignKey(TradingClient, on_delete=models.PROTECT, related_name="acknowledgements")
    state = models.CharField(max_length=16, choices=ProofState, default=ProofState.PENDING)
    # Milliseconds from `activated_at` to the proof.
    ms = models.FloatField(null=True)
    at = models.DateTimeField(null=True)
    callbacks = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["activation", "client"], name="one_proof_each"),
            models.CheckConstraint(
                condition=Q(state=ProofState.PENDING, ms=None, at=None)
                | (~Q(state=ProofState.PENDING) & Q(ms__gte=0, at__isnull=False)),
                name="proof_has_its_time",
            ),
        ]
        indexes = [
            models.Index(fields=["activation"], name="proof_pending", condition=Q(state=ProofState.PENDING)),
        ]


class Command(models.Model):
    """ "Cancel open orders" or "close positions", pressed by an operator for one or all trading processes."""

    kind = models.CharField(max_length=32, choices=CommandKind)
    epoch = models.BigIntegerField()
    activation = models.ForeignKey(Activation, null=True, on_delete=models.PROTECT, related_name="commands")
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=150)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class CommandResult(models.Model):
    """What one trading process did with one command. NULL counts: not known."""

    command = models.ForeignKey(Command, on_delete=models.PROTECT, related_name="results")
    client = models.ForeignKey(TradingClient, on_delete=models.PROTECT, related_name="command_results")
    state = models.CharField(max_length=16, choices=CommandState, default=CommandState.PENDING)
    cancelled = models.PositiveIntegerField(null=True)
    left = models.PositiveIntegerField(null=True)
    unknown = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["command", "client"], name="one_result_each")]
        indexes = [
            models.Index(fields=["command"], name="command_pending", condition=Q(state=CommandState.PENDING)),
        ]


class DrillRule(models.Model):
    """One row: when drills are due (`killswitch.drill_schedule.Schedule`). Changed by `killswitch.services.change_drill_rule` alone."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    enabled = models.BooleanField(default=True)
    every = models.CharField(max_length=16, choices=Every, default=Every.MONTH)
    day = models.PositiveSmallIntegerField(
        default=15, validators=[MinValueValidator(1), MaxValueValidator(LAST_DAY)]
    )
    days = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)]
    )
    at = models.TimeField(default=time(10))
    # Empty: the desk's own.
    zone = models.CharField(max_length=64, blank=True)
    remind_days = models.PositiveSmallIntegerField(
        default=3, validators=[MaxValueValidator(MOST_REMIND_DAYS)]
    )
    comment = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(null=True, editable=False)
    updated_by = models.CharField(max_length=150, blank=True, editable=False)
    # Since when there is this console: before, no drill can have been missed.
    since = models.DateTimeField(default=timezone.now, editable=False)
    # What an open alert says, and of which due time; empty: there is none.
    told = models.CharField(max_length=16, choices=Reminder, blank=True, editable=False)
    told_due = models.DateTimeField(null=True, editable=False)

    class Meta:
        permissions = [("tune_drills", "Can tune when drills are due")]
        constraints = [models.CheckConstraint(condition=Q(id=1), name="drill_rule_is_one_row")]

    def __str__(self) -> str:
        return "Stop drills"
