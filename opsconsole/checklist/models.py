"""The rule by which the checklist is asked for, and its days."""

from datetime import time

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone

from opsconsole.audit.choices import ActorKind

CACHE_HIT_PCT = 90.0
COMMENT = 2000


def monday_to_friday() -> list[int]:
    return [0, 1, 2, 3, 4]


class ChecklistRule(models.Model):
    """One row. Changed by `opsconsole.checklist.services` alone."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    enabled = models.BooleanField(default=True)
    # The trading day must be signed off by then.
    by = models.TimeField(default=time(9, 30))
    # Empty: the zone of the trading day.
    zone = models.CharField(max_length=64, blank=True)
    # Weekdays on which it is asked for, Monday is 0.
    days = models.JSONField(default=monday_to_friday)
    cache_hit_pct = models.FloatField(default=CACHE_HIT_PCT)
    comment = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(null=True, editable=False)
    updated_by = models.CharField(max_length=150, blank=True, editable=False)
    # Since when there is this console: a day that began before cannot be missed.
    since = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        permissions = [("tune_checklist", "Can tune when the checklist is due")]
        constraints = [models.CheckConstraint(condition=Q(id=1), name="checklist_rule_is_one_row")]

    def __str__(self) -> str:
        return "Daily checklist"


class ChecklistDay(models.Model):
    """One trading day that was signed off, or that an alert has told of."""

    day = models.DateField(unique=True)
    signed_at = models.DateTimeField(null=True)
    actor_kind = models.CharField(max_length=16, choices=ActorKind, blank=True)
    signed_by = models.CharField(max_length=150, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    comment = models.TextField(blank=True)
    # Every line as it was then, with its values (`opsconsole.checklist.lines.Line`), and how many were not green.
    lines = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    not_green = models.PositiveSmallIntegerField(null=True)
    # When the alert was raised that it was not signed off in time.
    told_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-day"]
        permissions = [("sign_checklist", "Can sign off the daily checklist")]
        constraints = [
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_by="", not_green=None)
                | Q(signed_at__isnull=False, not_green__isnull=False),
                name="checklist_signed_with_what_was_red",
            )
        ]

    def __str__(self) -> str:
        return f"checklist of {self.day:%d %b %Y}"
