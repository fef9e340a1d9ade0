"""The words of a circuit breaker, as the console has them too."""

from enum import StrEnum


class CircuitState(StrEnum):
    """What a breaker does with calls."""

    CLOSED = "CLOSED"  # lets them through
    OPEN = "OPEN"  # rejects them
    HALF_OPEN = "HALF_OPEN"  # lets a few through, to see whether the service works again


class Why(StrEnum):
    """Why a breaker changed its state."""

    FAILURE_THRESHOLD = "failure_threshold"
    FAILURE_RATE = "failure_rate"
    SLOW_RATE = "slow_rate"
    TIMEOUT_OVER = "timeout_over"
    PROBE_FAILED = "probe_failed"
    PROBES_SUCCEEDED = "probes_succeeded"
    RESET = "reset"
    FORCE_OPEN = "force_open"
    FORCE_CLOSED = "force_closed"
    RELEASE = "release"
    SHARED = "shared"


class WindowType(StrEnum):
    """What the rates are taken of."""

    COUNT = "count"  # the last `window_size` calls
    TIME = "time"  # the calls of the last `window_size` seconds
