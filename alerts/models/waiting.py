"""What was accepted and is yet to be decided or added."""

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class Submission(models.Model):
    """An alert raised inside the transaction of another change (a stop, say), which must not wait for the alerts' lock.

    It is decided right after the commit, by whoever is quicker; then the row goes.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    alert = models.JSONField(encoder=DjangoJSONEncoder)


class RepeatBatch(models.Model):
    """Known alerts that were raised again, not yet added to their incidents: one narrow row, where each incident's own row is wide.

    Whoever takes `alerts.locking.lock_decisions()` adds them, and the row goes.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    # Of the same length: the incident, how often it was raised, and until when it lasts at least (NULL: until somebody ends it).
    ids = ArrayField(models.BigIntegerField())
    counts = ArrayField(models.BigIntegerField())
    ends = ArrayField(models.DateTimeField(null=True))


class PostedAlerts(models.Model):
    """Alerts of one POST to /api/v2/alerts that were written down as they came, since too many waited to be decided at once.

    They are decided in the order of their numbers, within seconds; then the row goes (alerts.alertmanager.posted).
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    raised_by = models.CharField(max_length=150)
    # A JSON array, as `alerts.alertmanager.parcels` reads it; all of it was found to be sound.
    body = models.BinaryField()
    # How many alerts that is.
    size = models.PositiveIntegerField()
    # It ends an alert: what is sent after it has to wait behind it.
    ends = models.BooleanField(default=False)
    # It could not be decided: the log says why. It stays, and holds up none behind it.
    failed = models.BooleanField(default=False)
