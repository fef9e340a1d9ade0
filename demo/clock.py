"""The clock of the demo's records: one for all processes of the machine, it never steps and it counts
suspend.
"""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_ns() -> int:
    """Nanoseconds since the machine started."""
    return time.clock_gettime_ns(_CLOCK)


def stamps() -> tuple[int, int]:
    """The same moment by both clocks: (boot, wall), nanoseconds. Read back to back, so that they can be set
    against each other.
    """
    return boot_ns(), time.time_ns()
