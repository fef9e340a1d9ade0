"""Words of health."""

from django.db import models


class Status(models.TextChoices):
    """From the best to the worst that is known; UNKNOWN is no degree of it."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class Kind(models.TextChoices):
    """What is looked at."""

    REDIS = "redis", "Redis"
    DATABASE = "database", "Database"
    DISK = "disk", "Disk space"
    MEMORY = "memory", "Memory"
    CPU = "cpu", "CPU"
    WORKER = "worker", "Celery worker"
    BEAT = "beat", "Celery beat"
    OUTBOX = "outbox", "Outbox of alerts"
    HUB = "hub", "Stream hub"
    SEALING = "sealing", "Sealing of the audit trail"
    CLIENT = "client", "Trading process"
    CERTIFICATE = "certificate", "Certificate"
    HTTP = "http", "HTTP target"
    TCP = "tcp", "TCP target"


TARGETS = (Kind.HTTP, Kind.TCP, Kind.CERTIFICATE)
# What they find is of the host where they run.
OF_HOSTS = (Kind.DISK, Kind.MEMORY, Kind.CPU)
# What a person may add: targets, and further hosts. The others are there by themselves.
ADDABLE = (*TARGETS, *OF_HOSTS)
# By their slugs: those that every console has.
BUILT_IN = frozenset(
    {
        *("redis", "database", "disk-space", "memory", "cpu", "celery-worker", "urgent-worker", "beat"),
        *("outbox", "stream-hub", "audit-sealing"),
    }
)
