"""What runs here: versions, processes, servers. Reads the database once; asks the broker nothing, for it may hang."""

import platform
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from monitoring.health.checks.pulses import HUB
from monitoring.health.choices import Kind
from monitoring.health.claiming import own_host
from monitoring.health.models import HealthComponent, Pulse
from monitoring.health.pulsing import began_at
from monitoring.health.watchdog import selectors as watchdog
from opsconsole import __version__

LIBRARIES = ("django", "djangorestframework", "celery", "kombu", "redis", "psycopg", "uvicorn")
# A process that was not heard of for longer is gone.
HEARD = timedelta(minutes=1)


def system_info(*, now: datetime | None = None) -> dict[str, Any]:
    moment = now or timezone.now()
    pulses = Pulse.objects.filter(at__gt=moment - HEARD).order_by("name")
    return {
        "name": "opsconsole",
        "version": __version__,
        "build": settings.BUILD or None,
        "timestamp": _moment(moment),
        "uptime_seconds": round((moment - began_at()).total_seconds(), 1),
        "python": platform.python_version(),
        "libraries": libraries(),
        "platform": f"{platform.system()} {platform.machine()}",
        "host": own_host(),
        "processes": [_process(pulse, moment) for pulse in pulses],
        "database": {
            "kind": "PostgreSQL",
            "version": _database_version(),
            "embedded": settings.EMBEDDED,
        },
        "broker": {**_broker(moment), "embedded": settings.EMBEDDED_BROKER},
        "watchdog": watchdog.as_json(watchdog.watched(now=moment)),
        "time_zone": settings.TIME_ZONE,
        "lease_term_seconds": settings.LEASE_TERM,
        "debug": settings.DEBUG,
    }


@cache
def libraries() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _process(pulse: Pulse, now: datetime) -> dict[str, Any]:
    """Pulses are named `beat`, `hub:<id>` (of a web process) and `worker:<node>`."""
    return {
        "name": "web" if pulse.name.startswith(HUB) else pulse.name,
        "host": pulse.host,
        "pid": pulse.pid,
        "started_at": _moment(pulse.started_at),
        "uptime_seconds": round(max(0.0, (now - pulse.started_at).total_seconds()), 1),
        "heard_seconds_ago": round(max(0.0, (now - pulse.at).total_seconds()), 1),
    }


def _database_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        row = cursor.fetchone()
    assert row is not None  # noqa: S101  SHOW yields one row
    return str(row[0]).split(" ", 1)[0]


def _broker(now: datetime) -> dict[str, Any]:
    """What its newest health check has found; None: nothing that still counts."""
    component = HealthComponent.objects.filter(kind=Kind.REDIS).order_by("pk").first()
    known = component.metadata if component is not None and not component.is_stale(now=now) else {}
    return {"kind": str(known.get("server", "Redis")), "version": known.get("version")}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
