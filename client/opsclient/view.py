"""What is in force now, as one immutable value, so that a reader never sees half of a change."""

from dataclasses import dataclass

from opsclient import lease
from opsclient.reasons import Mode
from opsclient.scopes import covers
from opsclient.snapshot import Stop


@dataclass(frozen=True, slots=True)
class View:
    """The stops in force, and how long this process may trade without hearing from the console again.

    `until` is a time of `opsclient.clock.now`: infinite where no lease is needed, `lease.NONE` where there is none.
    """

    own: frozenset[str] = frozenset()
    epoch: int = 0
    until: float = lease.NONE
    stops: tuple[Stop, ...] = ()

    @property
    def deadline(self) -> float:
        """Until when every order is allowed, whatever its scope; NONE as soon as anything at all is stopped."""
        return lease.NONE if self.stops else self.until

    def blocking(self, scopes: frozenset[str] = frozenset(), *, reduce_only: bool = False) -> Stop | None:
        """The strictest stop that forbids an order of these scopes, None if none does."""
        named = self.own | scopes
        found: Stop | None = None
        for stop in self.stops:
            if stop.mode is Mode.REDUCE_ONLY and (reduce_only or found):
                continue
            if covers(stop.scope, named) and (found is None or found.mode is Mode.REDUCE_ONLY):
                found = stop
        return found

    @property
    def mode(self) -> Mode:
        """The mode of the process as a whole."""
        stop = self.blocking()
        return Mode.ACTIVE if stop is None else stop.mode
