"""Metrics in the admin: to read."""

from django.contrib import admin

from monitoring.metrics.models import Batch, Series
from opsconsole.audit.readonly import ReadOnlyAdmin


@admin.register(Series)
class SeriesAdmin(ReadOnlyAdmin):
    list_display = ("name", "client", "labels", "value", "count", "at", "received_at")
    search_fields = ("name", "client")


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ("id", "client", "received_at", "accepted")
    search_fields = ("=id", "=client")
