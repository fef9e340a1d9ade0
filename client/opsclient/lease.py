"""The arithmetic of the lease (docs/protocol.md, "The bound"). Pure: every time is an argument, in seconds."""

import math
from dataclasses import dataclass

DRIFT = 500e-6  # how far two clocks that never step may run apart, per second
LONGEST_TERM_S = 60.0
NONE = -math.inf  # the deadline of no lease at all


@dataclass(frozen=True, slots=True)
class LeaseAnchor:
    """What ties the hub's clock to ours for one connection.

    `c0` is our clock just before the connect request was sent, `s0` the hub's clock while it answered. `s0` was
    read after `c0`, so whatever the hub's clock shows at `s0`, ours shows `c0` or later.
    """

    c0: float
    s0: float

    def deadline(self, *, s: float, term: float, received: float) -> float:
        """The time, by our clock, until which a lease with the hub's time `s` and `term` counts.

        It is never later than `term` after the hub read its clock at `s`, by any clock that drifts no more than DRIFT
        against ours, however late the lease arrived. `received` (our clock when it was read) bounds it once more: a hub
        whose clock runs ahead cannot lend more than a term. NONE if a number cannot be used.
        """
        if not (math.isfinite(s) and math.isfinite(term) and 0 < term <= LONGEST_TERM_S):
            return NONE
        elapsed = s - self.s0
        # The allowance shortens what is added and lengthens what is taken away (s may lie before s0: the hub's
        # latest read can be older than our connection), so it errs on the side of the shorter lease.
        drift = (abs(elapsed) + term) * DRIFT
        return min(self.c0 + elapsed + term - drift, received + term)
