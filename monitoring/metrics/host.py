"""The host's processors, memory and disk, as this process sees them."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime

import psutil
from django.conf import settings

from monitoring.metrics.sources import Sample

# The use of processors is an average since the look before; a shorter one would be chance. Seconds.
LEAST_SECONDS = 1.0


class Processors:
    """Their use in percent since the last look, at most once in `LEAST_SECONDS`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._percent: float | None = None
        self._looked = time.monotonic()
        self._idle, self._all = _times()

    def percent(self) -> float | None:
        """None: this process has not run for long enough to know."""
        with self._lock:
            if time.monotonic() - self._looked >= LEAST_SECONDS:
                idle, everything = _times()
                spent = everything - self._all
                self._percent = 100 * (1 - (idle - self._idle) / spent) if spent > 0 else None
                self._looked, self._idle, self._all = time.monotonic(), idle, everything
            return self._percent


def _times() -> tuple[float, float]:
    """Seconds of all processors since the host started: idle, and in all. psutil's own percentage is that of each thread by itself."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # Guests are in `user` already.
    return idle, sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)


_processors = Processors()


def read_host(now: datetime) -> Iterator[Sample]:
    del now
    processors = _processors.percent()
    if processors is not None:
        yield Sample("host_cpu_usage_pct", processors)
    yield Sample("host_memory_usage_pct", psutil.virtual_memory().percent)
    yield Sample("host_disk_usage_pct", psutil.disk_usage(str(settings.DATA_DIR)).percent)
