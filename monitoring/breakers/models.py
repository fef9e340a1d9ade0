"""Breakers as the console knows them: one row a name, one for each process that has it, and every change of state."""

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from killswitch.models import TradingClient
from monitoring.breakers.choices import CommandKind, Hold, State
from monitoring.breakers.tuning import MOST_PROCESSES, tunable
from opsconsole.audit.choices import ActorKind

NAME_LENGTH = 128


class BreakerVersion(models.Model):
    """The one number that grows with each change of what processes are told.

    A row and not a sequence: whoever changes something holds its lock until commit, so versions become visible in order.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    value = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="breaker_version_is_one_row")]


class CircuitBreaker(models.Model):
    """One name. It appears when a process reports it; changed by `monitoring.breakers.services` alone."""

    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    first_seen = models.DateTimeField(editable=False)
    # Of the newest change that processes are told of. 0: there is nothing to tell.
    version = models.BigIntegerField(default=0, editable=False)

    # Settings. NULL, or empty: as the process has it in its code.
    failure_threshold = tunable("failure_threshold")
    success_threshold = tunable("success_threshold")
    timeout_seconds = tunable("timeout_seconds")
    timeout_multiplier = tunable("timeout_multiplier")
    max_timeout_seconds = tunable("max_timeout_seconds")
    timeout_jitter = tunable("timeout_jitter")
    window_type = tunable("window_type")
    window_size = tunable("window_size")
    minimum_number_of_calls = tunable("minimum_number_of_calls")
    failure_rate_threshold = tunable("failure_rate_threshold")
    slow_call_rate_threshold = tunable("slow_call_rate_threshold")
    slow_call_duration_seconds = tunable("slow_call_duration_seconds")
    permitted_calls_in_half_open = tunable("permitted_calls_in_half_open")
    max_half_open_seconds = tunable("max_half_open_seconds")
    deadline_seconds = tunable("deadline_seconds")
    # 0: each process for itself; n: when so many processes are open, all are.
    quorum = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(MOST_PROCESSES)],
        help_text="0: each process for itself. Else: when so many processes are open, all are, and one probes for all.",
    )
    comment = models.CharField(max_length=200, blank=True)
    # Of the settings, so that nobody overwrites what somebody else changed meanwhile.
    revision = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(null=True, editable=False)
    updated_by = models.CharField(max_length=150, blank=True, editable=False)

    # What an operator holds it to; empty: nothing. `hold_until` NULL: until it is released.
    hold = models.CharField(max_length=8, choices=Hold, blank=True, editable=False)
    hold_reason = models.TextField(blank=True, editable=False)
    hold_by = models.CharField(max_length=150, blank=True, editable=False)
    hold_at = models.DateTimeField(null=True, editable=False)
    hold_until = models.DateTimeField(null=True, editable=False)
    # The version of the newest reset.
    reset_version = models.BigIntegerField(null=True, editable=False)

    # With a quorum (`monitoring.breakers.sharing`). Empty: it was never open for all.
    shared = models.CharField(max_length=16, choices=State, blank=True, editable=False)
    shared_generation = models.PositiveIntegerField(default=0, editable=False)
    shared_at = models.DateTimeField(null=True, editable=False)
    shared_version = models.BigIntegerField(default=0, editable=False)
    # When it may be probed: the end of its open time.
    shared_until = models.DateTimeField(null=True, editable=False)
    # Openings since it was closed last: the open time grows with them.
    shared_openings = models.PositiveIntegerField(default=0, editable=False)
    # Who probes, while it is HALF_OPEN, and until when nobody else may.
    probe_instance = models.CharField(max_length=32, blank=True, editable=False)
    probe_until = models.DateTimeField(null=True, editable=False)

    # Since when it is open in a process of its own accord: the incident, which is told and in the trail.
    opened_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["name"]
        permissions = [
            ("reset_circuitbreaker", "Can reset circuit breakers"),
            ("force_circuitbreaker", "Can hold circuit breakers open or closed, and release them"),
            ("tune_circuitbreaker", "Can tune circuit breakers"),
            ("report_circuitbreaker", "Can report circuit breakers"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(hold="", hold_at=None, hold_until=None)
                | (~Q(hold="") & Q(hold_at__isnull=False)),
                name="breaker_hold_has_its_time",
            ),
        ]
        indexes = [
            # What the hub asks for: what has changed since a version.
            models.Index(fields=["version"], name="breaker_version", condition=Q(version__gt=0)),
            # Read by beat.
            models.Index(fields=["hold_until"], name="breaker_hold", condition=Q(hold_until__isnull=False)),
            models.Index(fields=["opened_at"], name="breaker_opened", condition=Q(opened_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name


class BreakerProcess(models.Model):
    """A process that reports. `stream`: the same as a trading process, if it ever opened a stream."""

    name = models.CharField(max_length=64)
    instance = models.CharField(max_length=32)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    stream = models.ForeignKey(TradingClient, null=True, on_delete=models.SET_NULL, related_name="+")
    first_seen = models.DateTimeField()
    reported_at = models.DateTimeField()
    last_report = models.CharField(max_length=64, blank=True)
    # The newest version that it has applied, and the newest transition that it has told of.
    applied = models.BigIntegerField(default=0)
    last_seq = models.BigIntegerField(default=0)
    # How its clock stands to the console's, by the report that was the quickest on its way; and when that was so.
    clock_offset = models.FloatField(null=True)
    clock_at = models.DateTimeField(null=True)
    # Transitions that it had to give up.
    dropped = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "instance"], name="breaker_process")]
        indexes = [models.Index(fields=["reported_at"], name="breaker_process_reported")]

    def __str__(self) -> str:
        return self.name


class BreakerState(models.Model):
    """The newest that one process has said of one breaker. Counts are of the process's whole life."""

    breaker = models.ForeignKey(CircuitBreaker, on_delete=models.CASCADE, related_name="states")
    process = models.ForeignKey(BreakerProcess, on_delete=models.CASCADE, related_name="states")
    state = models.CharField(max_length=16, choices=State)
    forced = models.CharField(max_length=8, choices=Hold, blank=True)
    since = models.DateTimeField()
    # Since when it is not closed, whatever it tried meanwhile. NULL: it is closed.
    failing_since = models.DateTimeField(null=True)
    generation = models.BigIntegerField(default=0)
    applied = models.BigIntegerField(default=0)
    reported_at = models.DateTimeField()
    config = models.JSONField(default=dict)
    own_config = models.JSONField(default=dict)
    success = models.BigIntegerField(default=0)
    failure = models.BigIntegerField(default=0)
    slow = models.BigIntegerField(default=0)
    ignored = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    # Of the window; rates in percent, NULL below the minimum of calls.
    calls = models.BigIntegerField(default=0)
    failure_rate = models.FloatField(null=True)
    slow_rate = models.FloatField(null=True)
    # The newest failure; the time NULL: none yet.
    failure_type = models.CharField(max_length=200, blank=True)
    failure_text = models.CharField(max_length=500, blank=True)
    failure_at = models.DateTimeField(null=True)
    # What metrics know, and since when. Seconds in OPEN: of the times that are over; of all, as far as they are counted.
    metered_at = models.DateTimeField(null=True)
    open_s = models.FloatField(default=0)
    metered_open_s = models.FloatField(default=0)
    metered_rejected = models.BigIntegerField(default=0)
    # Changes of state, by where they led to, that metrics do not know of yet.
    unmetered = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["breaker", "process"], name="breaker_state_of_process")
        ]

    def __str__(self) -> str:
        return f"{self.breaker_id} {self.state}"


class BreakerTransition(models.Model):
    """One change of state in one process, with the time at which it happened there. Names outlive the process's row."""

    breaker = models.ForeignKey(CircuitBreaker, on_delete=models.CASCADE, related_name="transitions")
    client = models.CharField(max_length=64)
    instance = models.CharField(max_length=32)
    # Counted by the process, without a gap.
    seq = models.BigIntegerField()
    from_state = models.CharField(max_length=16, choices=State)
    to_state = models.CharField(max_length=16, choices=State)
    at = models.DateTimeField()
    in_previous_s = models.FloatField()
    why = models.CharField(max_length=32)
    cause_type = models.CharField(max_length=200, blank=True)
    cause_text = models.CharField(max_length=500, blank=True)
    counts = models.JSONField(default=dict)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instance", "seq", "client"], name="breaker_transition_once")
        ]
        indexes = [
            models.Index(fields=["breaker", "-at", "-id"], name="breaker_transition_newest"),
            # Time in OPEN.
            models.Index(
                fields=["breaker", "at"], name="breaker_left_open", condition=Q(from_state=State.OPEN)
            ),
            # Read when old ones are dropped.
            models.Index(fields=["at"], name="breaker_transition_at"),
        ]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state} in {self.client}"


class BreakerCommand(models.Model):
    """What an operator told, and with which version. `breaker` NULL: all of them."""

    kind = models.CharField(max_length=16, choices=CommandKind)
    breaker = models.ForeignKey(CircuitBreaker, null=True, on_delete=models.CASCADE, related_name="commands")
    version = models.BigIntegerField()
    at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    actor_kind = models.CharField(max_length=16, choices=ActorKind)
    by = models.CharField(max_length=150)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["breaker", "-id"], name="breaker_command_newest"),
            models.Index(fields=["at"], name="breaker_command_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class BreakerApplied(models.Model):
    """One process that was there when a command was given. `at` NULL: it has not applied it yet."""

    command = models.ForeignKey(BreakerCommand, on_delete=models.CASCADE, related_name="processes")
    client = models.CharField(max_length=64)
    instance = models.CharField(max_length=32)
    version = models.BigIntegerField()
    at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["command", "client", "instance"], name="breaker_applied_once")
        ]
        indexes = [
            # What a report of this process acknowledges.
            models.Index(fields=["instance", "version"], name="breaker_applied_open", condition=Q(at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.client} {'applied' if self.at else 'waits'}"
