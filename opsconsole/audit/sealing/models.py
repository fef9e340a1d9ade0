"""The queue of what waits to be sealed, the sealed leaves in their order, and the seals. The database refuses every change of the last two."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from opsconsole.audit.sealing.merkle import HASH_BYTES


class AuditPending(models.Model):
    """An event that is committed and not sealed yet: put here by a trigger in the writer's own transaction, taken out by the sealer in its own.

    So what waits is known without a watermark, in whatever order ids are committed.
    """

    event_id = models.BigIntegerField(primary_key=True)
    leaf = models.BinaryField(max_length=HASH_BYTES)
    # By the database's clock, when the event was written.
    written_at = models.DateTimeField()

    class Meta:
        # Read by the sealer, which takes the oldest first.
        indexes = [models.Index(fields=["written_at", "event_id"], name="audit_pending_oldest")]

    def __str__(self) -> str:
        return f"#{self.event_id}"


class SealedLeaf(models.Model):
    """One leaf of the tree. `index`: from 0, without gaps."""

    index = models.BigIntegerField(primary_key=True)
    # No foreign key: of an event that somebody removed, this says that it was there.
    event_id = models.BigIntegerField(unique=True)
    leaf = models.BinaryField(max_length=HASH_BYTES)

    def __str__(self) -> str:
        return f"{self.index}: #{self.event_id}"


class AuditSeal(models.Model):
    """The tree after a batch of leaves: its size, root and frontier (`sealing.merkle.Tree`), and the signed checkpoint that says so."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    size = models.BigIntegerField(unique=True)
    root = models.BinaryField(max_length=HASH_BYTES)
    frontier = ArrayField(models.BinaryField(max_length=HASH_BYTES))
    checkpoint = models.TextField()
    # Of the signing key: its name is the origin, `key_id` 8 hexadecimal digits.
    key_name = models.CharField(max_length=255)
    key_id = models.CharField(max_length=8)

    def __str__(self) -> str:
        return f"{self.id}: {self.size}"
