"""GET /monitoring/stream: a trading process asks for its stream (docs/protocol.md)."""

import asyncio
import logging
from urllib.parse import parse_qs

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.db import Error as DatabaseError

from opsconsole.live import wire
from opsconsole.live.acknowledge import voice
from opsconsole.live.clock import clock
from opsconsole.live.database import in_database
from opsconsole.live.feeds import StreamGrant, StreamRefused, StreamRequest, TradingFeed
from opsconsole.live.hub import Hub
from opsconsole.live.streams import TradingStream
from opsconsole.pool import PoolFull, WorkerPool
from opsconsole.replies import RETRY_SOON, send_error

log = logging.getLogger(__name__)

PROTOCOL = 1
MOST_PARAMETERS = 200
# Seconds that a registration may take.
PATIENCE = 10.0


class TradingStreams:
    """Registers trading processes in the threads of `pool`, and hands their streams to the hub."""

    def __init__(self, hub: Hub, feed: TradingFeed, *, pool: WorkerPool) -> None:
        self._hub = hub
        self._feed = feed
        self._pool = pool

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        # The client read its clock before it sent the request, so this is later: `S0` of the protocol.
        arrived = clock()
        try:
            request = _request(scope, self._hub.id)
            grant = await self._register(request)
        except StreamRefused as refused:
            headers = _REFUSAL_HEADERS.get(refused.status, ())
            await send_error(
                send, refused.status, refused.code, refused.message, details=refused.details, headers=headers
            )
            return
        speaker = voice(request.headers.get("authorization"))
        # The server's objects for this request live as long as the stream does; what is not needed any more goes now.
        del scope, request
        stream = TradingStream(grant, send, arrived=arrived, opened=clock(), voice=speaker)
        opening = self._hello(stream, arrived) + self._hub.add(stream)
        try:
            await stream.serve(receive, opening)
        finally:
            self._hub.remove(stream)

    def _hello(self, stream: TradingStream, arrived: float) -> bytes:
        hub = self._hub
        return wire.event(
            "hello",
            {
                "protocol": PROTOCOL,
                "client_id": stream.grant.client_id,
                "s": arrived,
                "term": hub.term,
                "epoch": hub.epoch,
                "renew": hub.renew,
            },
        )

    async def _register(self, request: StreamRequest) -> StreamGrant:
        """Raises StreamRefused, also where the console cannot serve a stream now."""
        if self._hub.closing or self._hub.latest is None:
            raise _unavailable("The console is not ready.")
        try:
            future = self._pool.submit(in_database(lambda: self._feed.open(request)))
        except PoolFull:
            raise _unavailable("Too many processes are connecting at this moment.") from None
        try:
            await asyncio.wait({future}, timeout=PATIENCE)
        finally:
            if not future.done():
                # It may succeed when nobody waits any more.
                future.add_done_callback(self._abandoned)
        if not future.done():
            raise _unavailable("The database takes too long to answer.")
        grant = _outcome(future)
        if self._hub.closing:
            self._hub.forget(grant)
            raise _unavailable("The console is shutting down.")
        return grant

    def _abandoned(self, future: asyncio.Future[StreamGrant]) -> None:
        if not future.cancelled() and future.exception() is None:
            self._hub.forget(future.result())


def _outcome(future: asyncio.Future[StreamGrant]) -> StreamGrant:
    try:
        return future.result()
    except StreamRefused:
        raise
    except DatabaseError as error:
        log.warning("Registering a trading process failed: %s", type(error).__name__)
        raise _unavailable("The database cannot be reached.") from None
    except Exception:
        log.exception("Registering a trading process failed")
        raise StreamRefused(500, "internal_error", "The console failed; its log says why.", {}) from None


def _unavailable(message: str) -> StreamRefused:
    return StreamRefused(503, "unavailable", message, {})


_REFUSAL_HEADERS = {
    401: ((b"www-authenticate", b"Bearer"),),
    405: ((b"allow", b"GET"),),
    503: RETRY_SOON,
}


def _request(scope: HTTPScope, hub: str) -> StreamRequest:
    if scope["method"] != "GET":
        raise StreamRefused(405, "method_not_allowed", "The stream is read with GET.", {})
    try:
        query = parse_qs(
            scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS
        )
    except ValueError:
        message = f"A stream takes at most {MOST_PARAMETERS} query parameters."
        raise StreamRefused(400, "bad_request", message, {"allowed": MOST_PARAMETERS}) from None
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return StreamRequest(
        query={name: tuple(values) for name, values in query.items()},
        headers=headers,
        ip=scope["client"][0] if scope["client"] else "",
        hub=hub,
    )
