"""Words of the circuit breakers."""

from django.db import models


class State(models.TextChoices):
    """Of one breaker in one process, and of one that is shared."""

    CLOSED = "CLOSED", "closed"
    HALF_OPEN = "HALF_OPEN", "half-open"
    OPEN = "OPEN", "open"


# Of a breaker that no process is there to tell of.
UNKNOWN = "UNKNOWN"
# The worst first.
STATES = (State.OPEN, State.HALF_OPEN, State.CLOSED)
# As `circuit_breaker_state` has them.
NUMBERS = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


class Hold(models.TextChoices):
    """What an operator forces a breaker to."""

    OPEN = "OPEN", "forced open"
    CLOSED = "CLOSED", "forced closed"


class CommandKind(models.TextChoices):
    """A change that every process is to apply."""

    RESET = "reset"
    RESET_ALL = "reset_all"
    FORCE_OPEN = "force_open"
    FORCE_CLOSE = "force_close"
    RELEASE = "release"
    # The hold's time was over.
    EXPIRE = "expire"
    TUNE = "tune"


class Why(models.TextChoices):
    """Why a breaker changed its state, as processes tell it; later versions of the client may know more."""

    FAILURE_THRESHOLD = "failure_threshold", "failures in a row"
    FAILURE_RATE = "failure_rate", "failure rate"
    SLOW_RATE = "slow_rate", "slow calls"
    TIMEOUT_OVER = "timeout_over", "open time over"
    PROBE_FAILED = "probe_failed", "probe failed"
    PROBES_SUCCEEDED = "probes_succeeded", "probes succeeded"
    RESET = "reset", "reset"
    FORCE_OPEN = "force_open", "forced open"
    FORCE_CLOSED = "force_closed", "forced closed"
    RELEASE = "release", "released"
    SHARED = "shared", "shared"


# What an operator did is nobody's failure.
ORDERED = frozenset({Why.RESET, Why.FORCE_OPEN, Why.FORCE_CLOSED, Why.RELEASE})
