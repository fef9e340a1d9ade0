"""What every open stream does, whoever reads it: one coroutine, no queue, and an end."""

import asyncio
from abc import ABC, abstractmethod

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, ASGISendEvent

from opsconsole.live import wire
from opsconsole.live.clock import clock
from opsconsole.replies import body, start

# A reader that takes nothing for this long is cut off. Seconds.
STALLED = 3.0


class EventStream(ABC):
    """Sends what `take()` gives, whenever it is woken. Subclasses keep the newest of each thing, never a list of them."""

    __slots__ = ("_gone", "_last_event", "_send", "_sending_since", "_waiter")

    def __init__(self, send: ASGISendCallable) -> None:
        self._send = send
        self._gone = False
        self._last_event: bytes | None = None
        self._sending_since: float | None = None
        self._waiter: asyncio.Future[None] | None = None

    @abstractmethod
    def take(self) -> bytes | None:
        """The events to send now; None if there are none."""

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def end(self, last_event: bytes = b"") -> None:
        """Send this one event, and no more."""
        self._last_event = last_event
        self.wake()

    def cut_if_stalled(self, now: float) -> bool:
        """Cut the connection if the reader has not drained for too long. Returns whether it was cut."""
        if self._gone or self._sending_since is None or now - self._sending_since < STALLED:
            return False
        self._gone = True
        wire.cut(self._send)
        return True

    async def serve(self, receive: ASGIReceiveCallable, first: bytes) -> None:
        """Carry the stream until the reader leaves or `end()` is called. `first`: the events that open it."""
        watcher = asyncio.ensure_future(self._watch(receive))
        try:
            await self._put(start(200, wire.STREAM_HEADERS))
            wire.tune(self._send)
            await self._put(body(first, more=True))
            while not self._gone:
                if self._last_event is not None:
                    await self._put(body(self._last_event))
                    return
                if (events := self.take()) is not None:
                    await self._put(body(events, more=True))
                else:
                    await self._rest()
        except OSError:
            # What ASGI servers other than uvicorn raise once the reader has left.
            return
        finally:
            self._gone = True
            watcher.cancel()

    async def _put(self, message: ASGISendEvent) -> None:
        self._sending_since = clock()
        await self._send(message)
        self._sending_since = None

    async def _rest(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    async def _watch(self, receive: ASGIReceiveCallable) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self.wake()
