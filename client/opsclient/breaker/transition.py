"""What listeners, the log and the console are told of a change."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from opsclient.breaker.choices import CircuitState, Why
from opsclient.breaker.errors import Cause


@dataclass(frozen=True, slots=True)
class Transition:
    """A breaker has changed its state. `at` is a time of `opsclient.clock.now`; it was `in_previous_s` seconds in `before`.

    `cause`: the failure behind it, or None. `counts`: those of the process at that moment. `open_s`: for how long it will be open,
    None unless `after` is OPEN, or where only an operator ends it.
    """

    breaker: str
    before: CircuitState
    after: CircuitState
    why: Why
    at: float
    in_previous_s: float
    cause: Cause | None = None
    open_s: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict, hash=False)
