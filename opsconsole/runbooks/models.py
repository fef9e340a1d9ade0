"""Runbooks with their steps, and incidents: what was worked through, step by step, with the steps as they were then."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from alerts.choices import Category
from alerts.models import Alert
from killswitch.choices import Reason
from opsconsole.runbooks.choices import IncidentState, Press, Read, StepKind

TITLE_LENGTH = 200
TARGET_LENGTH = 200
TEXT_LENGTH = 4000
WHAT = [*Read.choices, *Press.choices]


class StepFields(models.Model):
    """What a step says. `text` and `command` may name values: `{{breaker}}` (opsconsole.runbooks.filling)."""

    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16, choices=StepKind)
    title = models.CharField(max_length=TITLE_LENGTH)
    text = models.TextField(blank=True, max_length=TEXT_LENGTH)
    # Of READ what is shown, of PRESS what the button does.
    what = models.CharField(max_length=32, choices=WHAT, blank=True)
    # Of what: a breaker, a component, a scope.
    target = models.CharField(max_length=TARGET_LENGTH, blank=True)
    # Of a stop.
    stop_reason = models.CharField(max_length=32, choices=Reason, blank=True)
    # The same from a shell; of COMMAND the step itself.
    command = models.TextField(blank=True, max_length=TEXT_LENGTH)

    class Meta:
        abstract = True


class Runbook(models.Model):
    """What to do when something happens. Changed by `opsconsole.runbooks.services` alone."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=100, unique=True)
    # When to use it, in a sentence.
    summary = models.CharField(max_length=300, blank=True)
    enabled = models.BooleanField(default=True)
    # Alerts that it belongs to: of this category, and matched by each of these. Neither: it is opened by hand.
    category = models.CharField(max_length=32, choices=Category, blank=True)
    matchers = models.JSONField(default=list, blank=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(null=True, editable=False)
    updated_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        permissions = [("tune_runbook", "Can write runbooks")]

    def __str__(self) -> str:
        return self.name


class RunbookStep(StepFields):
    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, related_name="steps")

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["runbook", "position"], name="runbook_step_position")]

    def __str__(self) -> str:
        return f"{self.position}. {self.title}"


class Incident(models.Model):
    """Something that people worked on, from when it began until it was closed."""

    title = models.CharField(max_length=TITLE_LENGTH)
    # Where its timeline begins: when its first alert was raised, if that was before.
    since = models.DateTimeField()
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=150)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=150, blank=True)
    summary = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("work_incident", "Can start, work through and close incidents")]
        constraints = [
            models.CheckConstraint(condition=Q(since__lte=F("started_at")), name="incident_begins_first"),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(closed_at__gte=F("started_at")), name="incident_ends_last"
            ),
        ]
        indexes = [models.Index(fields=["-id"], name="incident_open", condition=Q(closed_at=None))]

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def state(self) -> IncidentState:
        return IncidentState.OPEN if self.is_open else IncidentState.CLOSED


class IncidentAlert(models.Model):
    """An alert that the incident is about. Its title stays when the alert's row is gone."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="alerts")
    alert = models.ForeignKey(Alert, null=True, on_delete=models.SET_NULL, related_name="+")
    title = models.CharField(max_length=TITLE_LENGTH)
    joined_at = models.DateTimeField()
    joined_by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "alert"], name="incident_alert_once")]


class Procedure(models.Model):
    """A runbook as it was when it was opened in an incident, with the values that its steps name."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="procedures")
    runbook = models.ForeignKey(Runbook, null=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    values = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "runbook", "values"], name="procedure_once_an_incident"
            )
        ]

    def __str__(self) -> str:
        return self.name


class IncidentStep(StepFields):
    """A step of a procedure, its values filled in; and who has done it."""

    procedure = models.ForeignKey(Procedure, on_delete=models.CASCADE, related_name="steps")
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=150, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["procedure", "position"]
        constraints = [
            models.UniqueConstraint(fields=["procedure", "position"], name="incident_step_position"),
            models.CheckConstraint(
                condition=Q(done_at=None, done_by="", note="") | Q(done_at__isnull=False),
                name="incident_step_done_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.title}"


class IncidentNote(models.Model):
    """What somebody wrote down."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="notes")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField()

    class Meta:
        ordering = ["id"]
