"""The append-only trail of everything that people and machines did."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from opsconsole.audit.choices import ActorKind
from opsconsole.audit.sealing.models import AuditPending, AuditSeal, SealedLeaf

__all__ = ["AuditEvent", "AuditPending", "AuditSeal", "SealedLeaf"]


class AuditEvent(models.Model):
    """One act. Written by `audit.record()` alone; the database computes `leaf` and refuses UPDATE, DELETE and TRUNCATE."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16, choices=ActorKind)
    # The name outlives the account.
    actor_name = models.CharField(max_length=150)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_label = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    metadata = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    ip = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    # SHA-256 of an unambiguous encoding of all the fields above, made by the trigger `audit_event_leaf`.
    leaf = models.BinaryField(max_length=32, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_event_at"),
            models.Index(fields=["action", "-id"], name="audit_event_action"),
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_event_object"),
            models.Index(fields=["actor_name", "-id"], name="audit_event_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.object_label}".strip()
