"""The live bus of one web process: the hub, the board, and the addresses that they answer."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from opsconsole.live.acknowledge import Acknowledgements, Endpoint
from opsconsole.live.board import Board
from opsconsole.live.browser import BrowserStreams
from opsconsole.live.feeds import SideFeed, TradingFeed
from opsconsole.live.hub import Hub
from opsconsole.live.trading import TradingStreams
from opsconsole.pool import WorkerPool
from opsconsole.replies import send_json

log = logging.getLogger(__name__)

Job = Callable[[], Coroutine[Any, Any, None]]

# Registering processes and looking up sessions. A burst waits in line, which costs less than many refusals.
CONNECT_THREADS = 2
CONNECT_LINE = 5000
# Seconds before a job that has failed begins anew.
PAUSE_AFTER_FAILURE = 1.0


class LiveService:
    """Made on the event loop, when the server starts. `otherwise` answers what one of the endpoints leaves to it."""

    def __init__(
        self, feed: TradingFeed, *, term: float, otherwise: Endpoint, sides: Sequence[SideFeed] = ()
    ) -> None:
        self._pool = WorkerPool("connect", threads=CONNECT_THREADS, waiting=CONNECT_LINE)
        self._board = Board()
        self.hub = Hub(feed, term=term, pages=self._board, sides=sides)
        self._browsers = BrowserStreams(self.hub, self._board, pool=self._pool)
        self._acknowledgements = Acknowledgements(self.hub, feed, otherwise=otherwise)
        self.endpoints: dict[str, Endpoint] = {
            "/monitoring/stream": TradingStreams(self.hub, feed, pool=self._pool),
            "/monitoring/kill-switch/acknowledge": self._acknowledgements,
            "/live": self._browsers,
            "/healthz": self._healthz,
        }
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        browser_jobs = (*self._board.lanes(), self._browsers.beat, self._browsers.watch_sessions)
        self._tasks = [asyncio.ensure_future(_for_ever(job)) for job in (*self.hub.jobs(), *browser_jobs)]

    def begin_shutdown(self) -> None:
        """End every stream. Safe to call more than once."""
        self.hub.begin_shutdown()
        self._browsers.end_all()

    async def stop(self) -> None:
        self.begin_shutdown()
        await self.hub.emptied()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=PAUSE_AFTER_FAILURE)
        await self.hub.close()
        await self._acknowledgements.close()
        await self._board.close()
        await self._pool.close(grace=0)

    async def _healthz(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Whether this process lives. `database` tells whether its hub can read, which a restart would not mend."""
        content = {"status": "ok", "database": self.hub.database_answers, "streams": len(self.hub.streams)}
        await send_json(send, 200, content)


async def _for_ever(job: Job) -> None:
    """A defect in a job is logged, and the job begins anew: leases end by themselves, but a dead job would never come back."""
    while True:
        try:
            await job()
        except Exception:
            log.exception("A job of the live bus failed")
        await asyncio.sleep(PAUSE_AFTER_FAILURE)
