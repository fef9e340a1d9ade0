"""The hub's clock."""

import time

# It never steps, and goes on while the machine is suspended, as the leases' bound needs (docs/protocol.md).
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def clock() -> float:
    """Seconds since some fixed moment."""
    return time.clock_gettime(_CLOCK)
