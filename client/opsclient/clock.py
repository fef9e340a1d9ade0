"""The clock of the lease: never steps, and counts the time the machine is suspended where the system can."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

# A partial of the C function is as fast to call as a clock gets in Python; a wrapper would double the price.
now: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)


def utc_text() -> str:
    """The wall clock for people: ISO 8601, UTC, milliseconds. Nothing is ever decided by it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
