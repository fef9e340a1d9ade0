"""What the hub notes in the database: streams that are open or have ended, and proofs that time alone gives."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from opsconsole.live.clock import clock
from opsconsole.live.database import in_database
from opsconsole.live.feeds import LEASE_COVER, StreamEnd, TradingFeed
from opsconsole.pool import WorkerPool

log = logging.getLogger(__name__)
T = TypeVar("T")

TOUCH_EVERY = LEASE_COVER / 2
RETRY = 1.0
# Ends that come together are written together.
GATHER = 0.05


@dataclass(frozen=True, slots=True)
class DatabaseTime:
    """A moment on both clocks: the database's was read after the hub's, so `at()` never says too early."""

    hub: float
    database: datetime

    def at(self, hub: float) -> datetime:
        """The database's time at `hub`, at the latest."""
        return self.database + timedelta(seconds=hub - self.hub)


class Ledger:
    """Runs in its own threads (`pool`), so that neither a busy web pool nor a burst of new streams delays it."""

    def __init__(self, feed: TradingFeed, *, hub: str, term: float, pool: WorkerPool) -> None:
        self._feed = feed
        self._hub = hub
        self._term = term
        self._pool = pool
        self._ends: dict[tuple[int, datetime], StreamEnd] = {}
        self._ended = asyncio.Event()
        self._settling: set[asyncio.Task[None]] = set()

    # Streams

    def note_end(self, end: StreamEnd) -> None:
        self._ends[end.client_id, end.opened_at] = end
        self._ended.set()

    async def write_ends(self) -> None:
        """Works until it is cancelled."""
        while True:
            await self._ended.wait()
            await asyncio.sleep(GATHER)
            if not await self.flush():
                await asyncio.sleep(RETRY)

    async def flush(self) -> bool:
        """Write the ends that are not written yet. Returns whether it worked."""
        self._ended.clear()
        ends, self._ends = self._ends, {}
        if not ends:
            return True
        try:
            await self._run(lambda: self._feed.closed(ends.values(), hub=self._hub))
        except (Exception, asyncio.CancelledError) as error:
            # Perhaps they were written after all; to write them twice does no harm.
            self._ends = ends | self._ends
            self._ended.set()
            if isinstance(error, asyncio.CancelledError):
                raise
            log.warning("Noting the end of %d streams failed: %s", len(ends), type(error).__name__)
            return False
        return True

    async def touch(self, client_ids: Iterable[int], *, lease_until: datetime) -> set[int] | None:
        """The ids whose stream is still this hub's; None if the database did not take it."""
        ids = list(client_ids)
        try:
            return await self._run(lambda: self._feed.touch(ids, hub=self._hub, lease_until=lease_until))
        except Exception as error:
            log.warning("Noting %d open streams failed: %s", len(ids), type(error).__name__)
            return None

    # Proofs

    def settle(self, *, epoch: int, seen: float, over: DatabaseTime | None) -> None:
        """Have the proofs of `epoch` recorded when their time has come.

        `seen`: when this hub first saw it committed, by its clock. `over`: when the leases that count for its own streams end.
        """
        task = asyncio.ensure_future(self._settle(epoch, seen, over))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _settle(self, epoch: int, seen: float, over: DatabaseTime | None) -> None:
        # The term by other clocks, which may run faster by what docs/protocol.md allows, and then some.
        margin = self._term * 0.01 + 0.01
        all_over = seen + self._term + margin
        pause = self._term / 8
        if over is not None:
            await _sleep_until(min(over.hub + margin, all_over))
        else:
            await _sleep_until(all_over)
        while await self._settled(epoch, seen, over, margin):
            await _sleep_until(all_over)
            await asyncio.sleep(pause)
            pause = min(2 * pause, RETRY)

    async def _settled(self, epoch: int, seen: float, over: DatabaseTime | None, margin: float) -> bool:
        """Returns whether something is still open."""
        now = clock()
        own = over.database if over is not None and now >= over.hub + margin else None
        try:
            return await self._run(
                lambda: self._feed.settle(epoch=epoch, waited=now - seen, hub=self._hub, own_leases_until=own)
            )
        except Exception as error:
            log.warning("Recording the proofs of epoch %d failed: %s", epoch, type(error).__name__)
            return True

    async def close(self, *, grace: float) -> None:
        for task in self._settling:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.flush(), grace)

    def _run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return self._pool.submit(in_database(work))


async def _sleep_until(when: float) -> None:
    # Timers may fire a moment early.
    await asyncio.sleep(max(when - clock(), 0) + 0.002)
