"""Writing signs of life. What checks make of them: `monitoring.health.checks.pulses`."""

import json
import logging
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from time import monotonic
from typing import Any

import psutil
from django.db import Error as DatabaseError
from django.db import connection, connections, transaction
from django.utils import timezone

from monitoring.health.checks.pulses import BEAT
from monitoring.health.claiming import own_host
from monitoring.health.models import ProbeJob, Pulse

logger = logging.getLogger(__name__)

# Seconds.
EVERY = 1.0
# A pulse that is older tells nothing any more; a job that nobody did is not waited for.
FORGOTTEN = timedelta(hours=1)

WRITE = """
INSERT INTO monitoring_pulse (name, at, host, pid, started_at, details) VALUES (%s, %s, %s, %s, %s, %s::jsonb)
ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at, host = EXCLUDED.host, pid = EXCLUDED.pid,
    started_at = EXCLUDED.started_at, details = EXCLUDED.details
WHERE monitoring_pulse.at <= EXCLUDED.at
"""


@cache
def _began_at(pid: int) -> datetime:
    return datetime.fromtimestamp(psutil.Process(pid).create_time(), UTC)


def began_at() -> datetime:
    """When this process did."""
    return _began_at(os.getpid())


def pulse(name: str, *, now: datetime, details: Mapping[str, Any] | None = None) -> None:
    """Say that the process behind `name` lives at `now`."""
    with transaction.atomic(), connection.cursor() as cursor:
        # The next one comes in a moment.
        cursor.execute("SET LOCAL synchronous_commit TO off")
        values: list[Any] = [name, now, own_host(), os.getpid(), began_at(), json.dumps(dict(details or {}))]
        cursor.execute(WRITE, values)


def forget(*, now: datetime) -> int:
    """Delete pulses and jobs of processes that are gone. Returns how many."""
    jobs = ProbeJob.objects.filter(sent_at__lt=now - FORGOTTEN).delete()[0]
    return jobs + Pulse.objects.filter(at__lt=now - FORGOTTEN).delete()[0]


class BeatPulse:
    """Beat's own: its loop says that it ticks, and a thread writes it down, so that no database holds beat up."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ticked_at: datetime | None = None
        self._thread: threading.Thread | None = None
        self._next = float("-inf")

    def ticked(self) -> None:
        """Returns at once."""
        if monotonic() < self._next:
            return
        self._next = monotonic() + EVERY
        with self._changed:
            self._ticked_at = timezone.now()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="beat-pulse", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ticked_at is not None)
                ticked_at, self._ticked_at = self._ticked_at, None
            assert ticked_at is not None  # noqa: S101  just waited for
            try:
                pulse(BEAT, now=ticked_at)
            except DatabaseError as error:
                logger.warning("Beat's tick could not be written down (%s)", type(error).__name__)
                connections.close_all()
