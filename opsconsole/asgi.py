"""The web process: one ASGI application. Streams live on the event loop; everything else is Django's WSGI application in a pool of threads."""

import asyncio
import gc
import logging
import resource
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, LifespanScope, Scope
from django.conf import settings
from django.urls import get_resolver

# This one sets Django up, which the others need.
from opsconsole.wsgi import application as wsgi_application

# isort: split
from monitoring.metrics.web import forget_dead_processes
from opsconsole.away import refuse
from opsconsole.bridge import Bridge
from opsconsole.live.acknowledge import Endpoint
from opsconsole.live.companions import make_companions
from opsconsole.live.endpoints import make_endpoints
from opsconsole.live.feeds import side_feeds, trading_feed
from opsconsole.live.service import LiveService
from opsconsole.pool import WorkerPool

Handler = Callable[[int, FrameType | None], object]

log = logging.getLogger(__name__)

# How many requests may wait for each thread.
WAITING_PER_THREAD = 8
# Seconds that running requests are given at shutdown, after the server's own patience.
LAST_REQUESTS = 1.0
# After so many seconds a thread that computes lets others go on (Python's own is ten times that): the event loop, which holds the streams of the
# kill switch, must not wait long for threads, nor a thread whose database has answered.
SWITCH_SECONDS = 0.0005


class WebProcess:
    """Everything that one event loop holds. Starting it asks nothing of the database, so the process comes up without one."""

    def __init__(self) -> None:
        threads = settings.WEB_THREADS
        self._pool = WorkerPool("web", threads=threads, waiting=threads * WAITING_PER_THREAD)
        self._bridge = Bridge(
            wsgi_application,
            pool=self._pool,
            body_limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
            is_away=lambda: not self.live.hub.database_answers,
            refuse=refuse,
        )
        self.live = LiveService(
            trading_feed(), term=settings.LEASE_TERM, otherwise=self._bridge, sides=side_feeds()
        )
        self._companions = make_companions(self.live.hub)
        self._own = make_endpoints(self._bridge)
        self._endpoints: dict[str, Endpoint] = {**self._own, **self.live.endpoints}

    def start(self) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        settle()
        forget_dead_processes()
        _raise_descriptor_limit()
        self.live.start()
        for companion in self._companions:
            companion.start()
        self._hear_of_shutdown(asyncio.get_running_loop())

    async def stop(self) -> None:
        for companion in self._companions:
            await companion.stop()
        await self.live.stop()
        for endpoint in set(self._own.values()):
            await endpoint.close()
        if not await self._pool.close(grace=LAST_REQUESTS):
            log.warning("Requests were still running at shutdown: %d", self._pool.outstanding)

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the console speaks HTTP, not {scope['type']}")
        endpoint = self._endpoints.get(scope["path"], self._bridge)
        await endpoint(scope, receive, send)

    def _hear_of_shutdown(self, loop: asyncio.AbstractEventLoop) -> None:
        """A server waits for open answers before it tells the application to stop, and a stream never ends by itself.

        So the streams are told by the signal itself, before the server's own handler gets it.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            server_handler = signal.getsignal(number)
            if callable(server_handler):
                signal.signal(number, self._before(server_handler, loop))

    def _before(self, server_handler: Handler, loop: asyncio.AbstractEventLoop) -> Handler:
        def handle(received: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.live.begin_shutdown)
            server_handler(received, frame)

        return handle


def settle() -> None:
    """Load what requests need, then let the collector of garbage never look at it again: each time, all threads would wait for some 0.1 s."""
    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()


def _raise_descriptor_limit() -> None:
    """Every stream is an open file; the usual limit of 1,024 is a default for programs that cannot have more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


_running: list[WebProcess] = []


async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(scope, receive, send)
        return
    await _running[0](scope, receive, send)


async def _lifespan(scope: LifespanScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await receive()
    try:
        process = WebProcess()
        process.start()
    except Exception as error:
        log.exception("The web process cannot start")
        await send({"type": "lifespan.startup.failed", "message": type(error).__name__})
        return
    _running.append(process)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await process.stop()
    _running.remove(process)
    await send({"type": "lifespan.shutdown.complete"})
