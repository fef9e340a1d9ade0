"""Triggers, and what each has come to."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from alerts.choices import Category, Priority
from killswitch.choices import Mode, Reason
from killswitch.state import GLOBAL
from monitoring.triggers.choices import Act, Aggregate, Comparison, Condition, Problem

LONGEST_WINDOW = 30 * 86_400
CONFIRMATIONS = 100


class Trigger(models.Model):
    """A metric, a threshold, and what to do when it is reached. Changed by `monitoring.triggers.services` alone."""

    name = models.SlugField(max_length=64, unique=True)
    enabled = models.BooleanField(default=True)
    metric = models.CharField(max_length=100)
    # Empty: every client.
    client = models.CharField(max_length=100, blank=True)
    # What of a series' labels must be so; the others may be anything.
    labels = models.JSONField(default=dict, blank=True)
    aggregate = models.CharField(max_length=16, choices=Aggregate, default=Aggregate.SUM)
    # For INCREASE. Seconds, as whole minutes.
    window_seconds = models.PositiveIntegerField(
        default=3600, validators=[MinValueValidator(60), MaxValueValidator(LONGEST_WINDOW)]
    )
    # Then the value is in percent of the sum of this metric's newest values, of the same clients.
    percent_of = models.CharField(max_length=100, blank=True)
    comparison = models.CharField(max_length=8, choices=Comparison, default=Comparison.ABOVE)
    threshold = models.FloatField()
    # Trips at once, without confirmations.
    second_threshold = models.FloatField(null=True, blank=True)
    # A trip is over when the value is back beyond it. NULL: beyond the threshold.
    clear_threshold = models.FloatField(null=True, blank=True)
    # So many new values, one after the other, must reach the threshold.
    confirmations = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(CONFIRMATIONS)]
    )
    # 0: old values count as any others.
    stale_seconds = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(LONGEST_WINDOW)])
    on_missing = models.CharField(max_length=8, choices=Act, default=Act.ALERT)
    on_error = models.CharField(max_length=8, choices=Act, default=Act.ALERT)
    action = models.CharField(max_length=8, choices=Act, default=Act.ALERT)
    # Of the alert. Empty: the category's own.
    category = models.CharField(max_length=32, choices=Category, default=Category.RISK_WARNING)
    priority = models.CharField(max_length=16, choices=Priority, blank=True)
    # Of the stop.
    stop_reason = models.CharField(max_length=32, choices=Reason, default=Reason.RISK_THRESHOLD)
    stop_scope = models.CharField(max_length=100, default=GLOBAL)
    stop_mode = models.CharField(
        max_length=16,
        choices=[(mode.value, mode.label) for mode in (Mode.HALTED, Mode.REDUCE_ONLY)],
        default=Mode.HALTED,
    )
    comment = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(null=True, editable=False)
    updated_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        permissions = [("tune_trigger", "Can tune triggers")]
        indexes = [models.Index(fields=["metric"], name="trigger_by_metric", condition=Q(enabled=True))]

    def __str__(self) -> str:
        return self.name


class TriggerState(models.Model):
    """What became of a trigger so far (`monitoring.triggers.decision.State`)."""

    trigger = models.OneToOneField(Trigger, primary_key=True, on_delete=models.CASCADE, related_name="state")
    condition = models.CharField(max_length=16, choices=Condition, default=Condition.WAITING)
    confirmed = models.PositiveIntegerField(default=0)
    far = models.BooleanField(default=False)
    tripped_at = models.DateTimeField(null=True)
    value = models.FloatField(null=True)
    value_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=8, choices=Problem, blank=True)
    problem_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    evaluated_at = models.DateTimeField(null=True)
    # Words of a stop that is decided and not carried out yet. Written with the decision, so that no crash loses it.
    stop_due = models.TextField(blank=True)
    stop_due_reason = models.CharField(max_length=32, blank=True)

    class Meta:
        indexes = [models.Index(fields=["trigger"], name="trigger_stop_due", condition=~Q(stop_due=""))]

    def __str__(self) -> str:
        return f"{self.trigger_id} {self.condition}"
