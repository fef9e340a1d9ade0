"""What comes from the console and stands above a breaker's own judgement. Times are those of `time.monotonic`."""

import math
from dataclasses import dataclass

from opsclient.breaker.choices import CircuitState

ASK_AGAIN_S = 1.0
UNANSWERED_S = 2.0  # a console that has not answered for so long is away: each process probes for itself


@dataclass(frozen=True, slots=True)
class Hold:
    """An operator has forced the breaker OPEN or CLOSED, until `until` or until it is released."""

    state: CircuitState
    by: str = ""
    reason: str = ""
    until: float = math.inf


@dataclass(frozen=True, slots=True)
class Shared:
    """What several processes together think of the service; until when they hold it open."""

    state: CircuitState
    generation: int
    until: float = -math.inf

    @property
    def is_open(self) -> bool:
        """Whether one process at a time may try."""
        return self.state is not CircuitState.CLOSED


@dataclass(frozen=True, slots=True)
class Lease:
    """The permission to probe for all."""

    permits: int
    until: float
