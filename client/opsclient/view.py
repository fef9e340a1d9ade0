"""What is in force now, as one immutable value, so that a reader never sees half of a change."""

from dataclasses import dataclass, field

from opsclient import lease
from opsclient.reasons import Mode
from opsclient.scopes import KINDS, covers
from opsclient.snapshot import Stop

# What is known of an order, in the order of KINDS: account, venue, strategy, symbol. None: not known.
Given = tuple[str | None, str | None, str | None, str | None]
NOTHING_GIVEN: Given = (None, None, None, None)

# A stop, made ready for the check before an order: the place of its kind in Given (-1: it covers the process whatever the
# order), its value, and whether an order of which that kind is not known lies inside.
_Rule = tuple[int, str, bool, Stop]


@dataclass(frozen=True, slots=True)
class View:
    """The stops in force, and how long this process may trade without hearing from the console again.

    `until` is a time of `opsclient.clock.now`: infinite where no lease is needed, `lease.NONE` where there is none.
    """

    own: frozenset[str] = frozenset()
    epoch: int = 0
    until: float = lease.NONE
    stops: tuple[Stop, ...] = ()
    _rules: tuple[_Rule, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rules", tuple(_rule(stop, self.own) for stop in self.stops))

    @property
    def deadline(self) -> float:
        """Until when every order is allowed, whatever its scope; NONE as soon as anything at all is stopped."""
        return lease.NONE if self.stops else self.until

    def blocking(self, given: Given = NOTHING_GIVEN, *, reduce_only: bool = False) -> Stop | None:
        """The strictest stop that forbids an order of which this is known, None if none does."""
        found: Stop | None = None
        for place, value, assumed, stop in self._rules:
            if place >= 0:
                known = given[place]
                if known != value and not (assumed and known is None):
                    continue
            if stop.mode is Mode.HALTED:
                return stop
            if not reduce_only and found is None:
                found = stop
        return found

    @property
    def mode(self) -> Mode:
        """The mode of the process as a whole."""
        stop = self.blocking()
        return Mode.ACTIVE if stop is None else stop.mode


def _rule(stop: Stop, own: frozenset[str]) -> _Rule:
    kind, _, value = stop.scope.partition(":")
    certain = covers(stop.scope, own | {f"{kind}:"})  # by name, not because nobody names the kind
    if certain or kind not in KINDS:
        return (-1, "", True, stop)
    return (KINDS.index(kind), value, covers(stop.scope, own), stop)
