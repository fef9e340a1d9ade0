"""Totals of metrics, their rows of minutes, five minutes and hours, and which batches have been counted."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Series(models.Model):
    """One metric with one set of labels from one client, since it was first seen: what `/metrics` shows.

    `key`: of name, client and labels (`monitoring.metrics.ingest.key_of`). `labels`: without `client`.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.UUIDField(unique=True)
    name = models.CharField(max_length=100)
    client = models.CharField(max_length=100)
    labels = models.JSONField(default=dict)
    # Counter: the total. Gauge: the newest value. Histogram: the sum of what was observed.
    value = models.FloatField(default=0)
    # Histogram: how often, in all and in each bucket by itself; the last one is what exceeds every bound.
    count = models.BigIntegerField(default=0)
    buckets = ArrayField(models.BigIntegerField(), null=True)
    first_at = models.DateTimeField()
    # When the client had it (`sent_at` of the batch), and when it came here. An older value does not replace a newer one.
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    # Until when `/metrics` shows it. NULL: for good.
    shown_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "series"
        permissions = [("push_metrics", "Can push metrics")]
        indexes = [models.Index(fields=["name", "client"], name="series_by_name")]

    def __str__(self) -> str:
        labels = ", ".join(f"{name}={value}" for name, value in self.labels.items())
        return f"{self.name}{{{labels}}} of {self.client}"


class Row(models.Model):
    """What became of one series within one stretch of time.

    Counter: `total` is the increase. Gauge: `total` is the sum of `count` values, between `low` and `high`, the newest `last`. Histogram:
    `total` is the sum of `count` observations, of which `buckets` counts each bucket by itself.
    """

    pk = models.CompositePrimaryKey("series_id", "at")
    series = models.ForeignKey(
        Series, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    at = models.DateTimeField()
    total = models.FloatField(default=0)
    count = models.BigIntegerField(default=0)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    last = models.FloatField(null=True)
    buckets = ArrayField(models.BigIntegerField(), null=True)

    class Meta:
        abstract = True


class Minute(Row):
    """By minutes (`at`: its beginning), in one partition a day; kept for 30 days (`monitoring.metrics.partitions`)."""

    class Meta:
        db_table = "monitoring_minute"


class FiveMinutes(Row):
    """The same by five minutes, in one partition a day; kept as long as the minutes that it sums up."""

    class Meta:
        db_table = "monitoring_five"


class Hour(Row):
    """The same by hours, in one partition a month; kept for 13 months."""

    class Meta:
        db_table = "monitoring_hour"


class Batch(models.Model):
    """A batch that was counted: sent again it changes nothing, and gets the same answer."""

    id = models.CharField(max_length=64, primary_key=True)
    client = models.CharField(max_length=100)
    received_at = models.DateTimeField(db_index=True)
    accepted = models.PositiveIntegerField()
    rejected = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"{self.id} of {self.client}"


class RollUp(models.Model):
    """An hour of minutes: `rolled_at` None until it is summed up (`monitoring.metrics.rollup`), and again when something came late."""

    hour = models.DateTimeField(primary_key=True)
    rolled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "monitoring_rollup"

    def __str__(self) -> str:
        return self.hour.isoformat()
