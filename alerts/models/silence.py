"""What holds alerts back on purpose."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Silence(models.Model):
    """Alerts that match are not sent between two times."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    matchers = models.JSONField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    comment = models.TextField(blank=True)
    annotations = models.JSONField(default=dict)
    # The account that made it, and how it is written in the audit trail.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        permissions = [("silence", "Can silence alerts")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gte=F("starts_at")), name="silence_ends_after_start"),
        ]
        indexes = [models.Index(fields=["-ends_at"], name="silence_ends")]

    def __str__(self) -> str:
        return f"Silence {self.id}"
