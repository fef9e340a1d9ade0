"""What the trading processes' stream carries beside the kill switch: read by a job and a thread of its own, for all streams of this process.

It never holds up a state or a lease, and what fails here is tried again: the streams go on without.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from opsconsole.live import wire
from opsconsole.live.clock import clock
from opsconsole.live.database import in_database
from opsconsole.live.feeds import SideFeed, SideNews
from opsconsole.live.streams import TradingStream
from opsconsole.pool import WorkerPool

log = logging.getLogger(__name__)
T = TypeVar("T")

# Seconds between two looks at the version, for announcements that were missed.
LOOK_AGAIN = 2.0
# … and after a read that failed.
RETRY = 1.0


class SideChannel:
    """One side feed. `whole`: the event that a new stream gets; empty until it could be read."""

    def __init__(self, feed: SideFeed, *, streams: Callable[[], Iterable[TradingStream]]) -> None:
        self.whole = b""
        self._feed = feed
        self._streams = streams
        self._version: int | None = None
        self._wanted = asyncio.Event()
        # Set by an announcement: then the version need not be asked for.
        self._announced = False
        self._failing = False
        self._pool = WorkerPool(f"side-{feed.event}", threads=1, waiting=1)

    async def run(self) -> None:
        """Works until it is cancelled."""
        while True:
            pause = LOOK_AGAIN if await self._look() else RETRY
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), pause)

    def on_topic(self, topic: str) -> None:
        if topic in self._feed.topics:
            self._announced = True
            self._wanted.set()

    async def close(self) -> None:
        await self._pool.close(grace=0)

    async def _look(self) -> bool:
        """Read it if there may be something new. Returns whether that worked."""
        self._wanted.clear()
        announced, self._announced = self._announced, False
        try:
            if self._version is None or announced or await self._run(self._feed.version) != self._version:
                # The clock before the read: what is left of a time counts from there.
                s = clock()
                known = self._version
                self._take(await self._run(lambda: self._feed.read(known)), s=s)
        except Exception as error:
            self._announced = self._announced or announced
            if not self._failing:
                log.warning("Reading %s for the streams failed: %s", self._feed.event, type(error).__name__)
            self._failing = True
            return False
        self._failing = False
        return True

    def _take(self, news: SideNews, *, s: float) -> None:
        before, self._version = self._version, news.version
        if before == news.version:
            return
        name = self._feed.event
        self.whole = wire.event(name, {"s": s, **news.whole})
        # Behind what was known: a database that was restored.
        forward = before is not None and news.version > before and news.changes is not None
        event = wire.event(name, {"s": s, **news.changes}) if forward and news.changes else self.whole
        for stream in self._streams():
            stream.offer_side(name, event, whole=self.whole)

    def _run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return self._pool.submit(in_database(work))
