"""Answers that were given under an `Idempotency-Key`."""

from django.conf import settings
from django.db import models


class IdempotentCall(models.Model):
    """One call of one account: a repeat with the same key gets the same answer. `status` is NULL while the first is under way."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    operation = models.CharField(max_length=64)
    key = models.CharField(max_length=128)
    # SHA-256 of the body: a key is good for one request only.
    fingerprint = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "operation", "key"], name="one_call_per_key")]
        # Read when old ones are forgotten.
        indexes = [models.Index(fields=["started_at"], name="idempotent_call_started")]

    def __str__(self) -> str:
        return f"{self.operation} {self.key}"
