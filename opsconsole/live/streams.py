"""The stream of one trading process."""

from datetime import datetime

from asgiref.typing import ASGISendCallable

from opsconsole.live import wire
from opsconsole.live.eventstream import EventStream
from opsconsole.live.feeds import LEASE_COVER, StreamGrant


class TradingStream(EventStream):
    """One open stream. It has room for one state and one lease, the newest of each, so a slow reader costs nothing but its own leases; and for
    one event of each side feed, which waits until there is neither a state nor a lease to send.

    `arrived`: the hub's clock when the request came in; `opened`: when its registration was committed; `voice`: of the token it was opened with.
    """

    __slots__ = ("_lease", "_sides", "_state", "covered_until", "grant", "lease_until", "opened", "voice")

    def __init__(
        self,
        grant: StreamGrant,
        send: ASGISendCallable,
        *,
        arrived: float,
        opened: float,
        voice: bytes | None = None,
    ) -> None:
        super().__init__(send)
        self.grant = grant
        self.voice = voice
        self.opened = opened
        # Up to here, by the hub's clock, the database knows of leases: `open()` noted LEASE_COVER, by a clock read after the request arrived.
        self.covered_until = arrived + LEASE_COVER
        # The end of the newest lease given, by the database's clock.
        self.lease_until: datetime | None = None
        self._state: bytes | None = None
        self._lease: bytes | None = None
        self._sides: dict[str, bytes] = {}

    def offer_state(self, state: bytes) -> None:
        """A lease of an older state must never follow a newer state."""
        self._state, self._lease = state, None
        self.wake()

    def offer_lease(self, lease: bytes, *, s: float, until: datetime) -> bool:
        """Returns whether the lease may be given.

        The read that it rests on must have begun after the registration was committed. Then a stop that this read did not see was committed
        later than the registration, so whoever declares that stop complete finds this process.
        """
        if not self.opened <= s <= self.covered_until:
            return False
        self.lease_until = until
        self._lease = lease
        self.wake()
        return True

    def offer_nolease(self, nolease: bytes) -> None:
        self._lease = nolease
        self.wake()

    def offer_side(self, name: str, event: bytes, *, whole: bytes) -> None:
        """`event` says what is new since the one before; where that one still waits, `whole` stands for both."""
        self._sides[name] = whole if name in self._sides else event
        self.wake()

    def bye(self, why: str) -> None:
        self.end(wire.event("bye", {"why": why}))

    def take(self) -> bytes | None:
        state, lease, self._state, self._lease = self._state, self._lease, None, None
        if state is not None and lease is not None:
            return state + lease
        if state is not None or lease is not None:
            return state if state is not None else lease
        sides, self._sides = self._sides, {}
        return b"".join(sides.values()) or None
