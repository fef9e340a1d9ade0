"""What a call gets when it is let in, and brings back with its outcome. Pure."""

import math
from collections import deque
from dataclasses import dataclass

from opsclient.breaker.choices import CircuitState, Why
from opsclient.breaker.errors import Cause, Opening
from opsclient.breaker.window import CountWindow, Ticks, TimeWindow


class Term:
    """One stretch of CLOSED. Its outcomes count for nothing once the breaker has moved on to another one."""

    __slots__ = ("generation", "slow_after", "successes", "turn_at", "window")

    def __init__(self, generation: int, window: CountWindow | TimeWindow, successes: Ticks) -> None:
        self.generation = generation
        self.window = window
        self.successes = successes.source
        self.slow_after = math.inf  # a call that took longer, in seconds, is slow
        self.turn_at = math.inf  # a success from then on is not to be ticked before somebody has looked


class Probe:
    """A permit of HALF_OPEN. One that is dropped without an outcome gives itself back."""

    __slots__ = ("_abandoned", "generation", "number", "over")

    def __init__(self, generation: int, number: int, abandoned: deque[int]) -> None:
        self.generation, self.number = generation, number
        self.over = False
        self._abandoned = abandoned

    def __del__(self) -> None:
        # At any moment and in any thread, perhaps inside a lock: so it is only noted.
        if not self.over:
            self._abandoned.append(self.number)


Permit = Term | Probe


class Way:
    """The short way through a breaker. Read by any thread at any moment, so small: nothing is found sooner than a slot.

    `term`: set while calls may pass and need not be looked at closely. `shut`: set while all are rejected, unless its time is over.
    """

    __slots__ = ("shut", "term")

    def __init__(self) -> None:
        self.term: Term | None = None
        self.shut: Opening | None = None


class Totals:
    """Of the process, since its start. A slow call is a success or a failure besides; an ignored one is neither."""

    __slots__ = ("failures", "ignored", "rejected", "slow", "successes")

    def __init__(self) -> None:
        self.successes, self.rejected = Ticks(), Ticks()
        self.failures = self.slow = self.ignored = 0

    def as_dict(self) -> dict[str, int]:
        """As the console has them."""
        return {
            "success": self.successes.value,
            "failure": self.failures,
            "slow": self.slow,
            "ignored": self.ignored,
            "rejected": self.rejected.value,
        }


@dataclass(frozen=True, slots=True)
class Change:
    """The state is another one now. `opening` where that is OPEN."""

    before: CircuitState
    after: CircuitState
    why: Why
    cause: Cause | None = None
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class AskToProbe:
    """The console is to be asked whether this process may try for all."""

    generation: int


Event = Change | AskToProbe
