"""The live bus of one web process: the hub and the addresses that it answers."""

from collections.abc import Awaitable, Callable

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from opsconsole.live.feeds import TradingFeed
from opsconsole.live.hub import Hub, Listeners
from opsconsole.live.trading import TradingStreams
from opsconsole.pool import WorkerPool
from opsconsole.replies import send_json

Endpoint = Callable[[HTTPScope, ASGIReceiveCallable, ASGISendCallable], Awaitable[None]]

# Registering processes and looking up sessions. Seconds of a burst wait in line, which costs less than a refusal.
CONNECT_THREADS = 2
CONNECT_LINE = 5000


class LiveService:
    """Made on the event loop, when the server starts."""

    def __init__(self, feed: TradingFeed, *, term: float) -> None:
        self._pool = WorkerPool("connect", threads=CONNECT_THREADS, waiting=CONNECT_LINE)
        self.hub = Hub(feed, term=term, pages=Listeners(topic=lambda topic: None, everything=lambda: None))
        self.endpoints: dict[str, Endpoint] = {
            "/monitoring/stream": TradingStreams(self.hub, feed, pool=self._pool),
            "/healthz": self._healthz,
        }

    def start(self) -> None:
        self.hub.start()

    def begin_shutdown(self) -> None:
        """Safe to call more than once."""
        self.hub.begin_shutdown()

    async def stop(self) -> None:
        await self.hub.stop()
        await self._pool.close(grace=0)

    async def _healthz(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Whether this process lives. `database` tells whether its hub can read, which a restart would not mend."""
        content = {"status": "ok", "database": self.hub.database_answers, "streams": len(self.hub.streams)}
        await send_json(send, 200, content)
