"""Records what POSTs bring: those that wait together in one transaction, answered after its commit."""

import asyncio
import logging
import math
from collections.abc import Sequence
from time import monotonic, sleep

from alerts.alertmanager import posted
from alerts.alertmanager.known import KnownAlerts
from alerts.alertmanager.parcels import Parcel
from alerts.alertmanager.recording import Budget, decide_posted, record
from alerts.background import Background
from alerts.services.repeats import add_repeats
from opsconsole.live.database import Steady, in_database
from opsconsole.pool import WorkerPool

log = logging.getLogger(__name__)

# Alerts of one commit (a larger request still goes as a whole), and those that may wait.
AT_ONCE = 1500
MOST_WAITING = 50_000
# Seconds until incidents have the counts of what was raised again; and between two times that they are brought up to date.
ADDED, ADDED_EVERY = 0.02, 1.0
# While a storm comes in and more alerts wait than this, taking it in goes first: whoever decides pauses this many times as long as a turn takes.
# Not once a storm has lasted for so many seconds; and so long without a post is a break.
MANY, PASSING, STORM, BREAK = 5_000, 3.0, 5.0, 0.1


class LineFull(Exception):
    """More alerts wait than may."""


class Committer:
    """Lives on the event loop; one thread with its own connection commits, so that what arrives meanwhile goes together."""

    def __init__(self, known: KnownAlerts) -> None:
        self._known = known
        self._budget = Budget()
        # Commits one after the other; what adds counts goes on beside.
        self._pool = WorkerPool("alerts", threads=1, waiting=1)
        self._steady = Steady()
        self._adders = WorkerPool("alerts-counts", threads=1, waiting=0)
        self._decider = Background("alerts-posted", lambda: decide_posted(known, pause=self._let_pass))
        self._line: list[tuple[Parcel, asyncio.Future[list[str]]]] = []
        self._waiting = 0
        self._task: asyncio.Task[None] | None = None
        self._adding: asyncio.Task[None] | None = None
        self._added_at = -math.inf
        # When something was written down last, and since when, without a break.
        self._posted_at = self._posting_since = -math.inf
        # What was written down before this process started.
        self._decider.wake()

    async def take(self, parcel: Parcel) -> list[str]:
        """Returns after the commit, with what is wrong with alerts that were not taken. Raises LineFull, and what the database raises."""
        if self._waiting and self._waiting + parcel.size > MOST_WAITING:
            raise LineFull
        answer: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._line.append((parcel, answer))
        self._waiting += parcel.size
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._work())
        return await answer

    async def close(self, *, grace: float) -> None:
        """Commit what waits, for at most `grace` seconds."""
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=grace)
        if self._adding is not None:
            self._adding.cancel()
        await self._pool.close(grace=0)
        await self._adders.close(grace=0)

    async def _work(self) -> None:
        while self._line:
            batch = self._next()
            await self._commit(batch)
            self._waiting -= sum(parcel.size for parcel, _ in batch)

    def _next(self) -> list[tuple[Parcel, asyncio.Future[list[str]]]]:
        size, end = 0, 0
        for parcel, _ in self._line:
            size += parcel.size
            if end and size > AT_ONCE:
                break
            end += 1
        batch, self._line = self._line[:end], self._line[end:]
        return batch

    async def _commit(self, batch: Sequence[tuple[Parcel, asyncio.Future[list[str]]]]) -> None:
        try:
            parcels = [parcel for parcel, _ in batch]
            recorded = await self._pool.submit(
                self._steady(lambda: record(parcels, self._known, self._budget))
            )
        except Exception as error:
            if len(batch) > 1:
                # Perhaps one of them is to blame: the others shall not suffer.
                log.warning(
                    "Recording %d posts of alerts together failed: %s", len(batch), type(error).__name__
                )
                for one in batch:
                    await self._commit([one])
                return
            if not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        if recorded.posted:
            now = monotonic()
            if now - self._posted_at > BREAK:
                self._posting_since = now
            self._posted_at = now
            self._decider.wake()
        if recorded.counted and (self._adding is None or self._adding.done()):
            self._adding = asyncio.ensure_future(self._add())
        for (_, answer), problems in zip(batch, recorded.problems, strict=True):
            if not answer.done():
                answer.set_result(problems)

    async def _add(self) -> None:
        await asyncio.sleep(max(ADDED, self._added_at + ADDED_EVERY - monotonic()))
        try:
            await self._adders.submit(in_database(add_repeats))
            self._added_at = monotonic()
        except Exception as error:
            # The next one to decide anything adds them.
            log.warning("Adding counts to incidents failed: %s", type(error).__name__)

    def _let_pass(self, seconds: float) -> None:
        """In the thread that decides what was written down, after a turn of so many seconds."""
        now = monotonic()
        coming = now - self._posted_at < BREAK and now - self._posting_since < STORM
        if coming and posted.waiting() > MANY:
            sleep(seconds * PASSING)
