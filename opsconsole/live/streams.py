"""The stream of one trading process."""

import asyncio
from datetime import datetime

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, ASGISendEvent

from opsconsole.live import wire
from opsconsole.live.clock import clock
from opsconsole.live.feeds import LEASE_COVER, StreamGrant
from opsconsole.replies import body, start

# A reader that takes nothing for this long is cut off. Seconds.
STALLED = 3.0


class Stream:
    """One open stream. It has room for one state and one lease, the newest of each, so a slow reader costs nothing but its own leases.

    `arrived`: the hub's clock when the request came in; `opened`: when its registration was committed.
    """

    __slots__ = (
        "_bye",
        "_lease",
        "_sending_since",
        "_state",
        "_waiter",
        "covered_until",
        "gone",
        "grant",
        "lease_until",
        "opened",
        "send",
    )

    def __init__(self, grant: StreamGrant, send: ASGISendCallable, *, arrived: float, opened: float) -> None:
        self.grant = grant
        self.send = send
        self.opened = opened
        # The database knows of leases up to here, by the hub's clock: `open()` noted LEASE_COVER, by a clock read after the request arrived.
        self.covered_until = arrived + LEASE_COVER
        self.lease_until: datetime | None = None
        self.gone = False
        self._state: bytes | None = None
        self._lease: bytes | None = None
        self._bye: bytes | None = None
        self._sending_since: float | None = None
        self._waiter: asyncio.Future[None] | None = None

    def offer_state(self, state: bytes) -> None:
        """A lease of an older state must never follow a newer state."""
        self._state, self._lease = state, None
        self._wake()

    def offer_lease(self, lease: bytes, *, s: float, until: datetime) -> bool:
        """Returns whether the lease may be given.

        The read that it rests on must have begun after the registration was committed. Then a stop that this read did not see was committed
        later than the registration, so whoever declares that stop complete finds this process.
        """
        if not self.opened <= s <= self.covered_until:
            return False
        self.lease_until = until
        self._lease = lease
        self._wake()
        return True

    def offer_nolease(self, nolease: bytes) -> None:
        self._lease = nolease
        self._wake()

    def end(self, why: str) -> None:
        """Say `bye` as the last event."""
        self._bye = wire.event("bye", {"why": why})
        self._wake()

    def cut_if_stalled(self, now: float) -> bool:
        """Cut the connection if the reader has not drained for too long. Returns whether it was cut."""
        if self.gone or self._sending_since is None or now - self._sending_since < STALLED:
            return False
        self.gone = True
        wire.cut(self.send)
        return True

    async def serve(self, receive: ASGIReceiveCallable, first: bytes) -> None:
        """Carry the stream until the reader leaves or `end()` is called. `first`: the events that open it."""
        watcher = asyncio.ensure_future(self._watch(receive))
        try:
            await self._put(start(200, wire.STREAM_HEADERS))
            wire.tune(self.send)
            await self._put(body(first, more=True))
            while not self.gone:
                if self._bye is not None:
                    await self._put(body(self._bye))
                    return
                if (events := self._take()) is not None:
                    await self._put(body(events, more=True))
                else:
                    await self._rest()
        except OSError:
            # What ASGI servers other than uvicorn raise once the reader has left.
            return
        finally:
            self.gone = True
            watcher.cancel()

    def _take(self) -> bytes | None:
        state, lease, self._state, self._lease = self._state, self._lease, None, None
        if state is not None and lease is not None:
            return state + lease
        return state if state is not None else lease

    async def _put(self, message: ASGISendEvent) -> None:
        self._sending_since = clock()
        await self.send(message)
        self._sending_since = None

    async def _rest(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _watch(self, receive: ASGIReceiveCallable) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        self._wake()
