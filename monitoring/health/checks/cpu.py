"""Processors in use since the look before: of the control group's limit where there is one, else of the host."""

import threading
import time
from dataclasses import dataclass
from datetime import datetime

import psutil

from monitoring.health.checks import cgroups
from monitoring.health.checks.base import Finding, Result, above, together

# A shorter while would be chance. Seconds.
LEAST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """`busy`: seconds of processors used so far; `limit`: how many may be used at a time."""

    at: float
    busy: float
    limit: float
    throttled_s: float
    source: str


@dataclass(frozen=True, slots=True)
class Use:
    used_pct: float
    throttled_pct: float
    limit: float
    source: str


class Meter:
    """Of one process: remembers the look before. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._before = read()
        self._newest: Use | None = None

    def use(self) -> Use:
        """Since the look before. The first of a process is over a moment of its own."""
        with self._lock:
            if self._newest is None or time.monotonic() - self._before.at >= LEAST_SECONDS:
                if (left := self._before.at + LEAST_SECONDS - time.monotonic()) > 0:
                    time.sleep(left)
                after = read()
                self._newest, self._before = between(self._before, after), after
            return self._newest


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuCheck:
    degraded_pct: float
    unhealthy_pct: float

    def run(self, now: datetime) -> Result:
        del now
        use = meter().use()
        finding = Finding(
            above(use.used_pct, self.degraded_pct, self.unhealthy_pct),
            f"{use.used_pct:.1f}% of the processors is used",
        )
        return together(
            [finding],
            well=f"CPU usage normal: {use.used_pct:.1f}%",
            metadata={
                "used_pct": round(use.used_pct, 1),
                "processors": round(use.limit, 2),
                "throttled_pct": round(use.throttled_pct, 1),
                "load_1m": round(psutil.getloadavg()[0], 2),
                "source": use.source,
            },
        )


def between(before: Reading, after: Reading) -> Use:
    seconds = max(after.at - before.at, 1e-6)
    used_pct = 100 * (after.busy - before.busy) / (seconds * after.limit)
    throttled_pct = 100 * (after.throttled_s - before.throttled_s) / seconds
    return Use(min(max(used_pct, 0.0), 100.0), max(throttled_pct, 0.0), after.limit, after.source)


def read() -> Reading:
    processors = float(psutil.cpu_count() or 1)
    group = cgroups.cpu()
    if group is not None and group.limit < processors:
        return Reading(time.monotonic(), group.seconds, group.limit, group.throttled_s, group.source)
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # Guests are in `user` already.
    everything = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return Reading(time.monotonic(), everything - idle, processors, 0.0, "host")


_meters: list[Meter] = []
_making = threading.Lock()


def meter() -> Meter:
    """This process' own."""
    with _making:
        if not _meters:
            _meters.append(Meter())
        return _meters[0]
