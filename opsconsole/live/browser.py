"""GET /live?page=…: the one stream of an open page."""

import asyncio
import logging
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.db import Error as DatabaseError

from opsconsole.live import wire
from opsconsole.live.board import Board, OpenPage
from opsconsole.live.clock import clock
from opsconsole.live.database import in_database
from opsconsole.live.eventstream import EventStream
from opsconsole.live.hub import Hub
from opsconsole.live.sessions import session_key, signed_in
from opsconsole.pool import PoolFull, WorkerPool
from opsconsole.replies import RETRY_SOON, send_error

log = logging.getLogger(__name__)

HEARTBEAT = 2.0
# Seconds between two looks at the sessions of open streams.
LOOK_AT_SESSIONS = 10.0
# Seconds that one look may take.
PATIENCE = 5.0
MOST_STREAMS = 1000
PAGE = re.compile(r"[a-z][a-z0-9-]{0,39}")
SIGNED_OUT = wire.event("signed-out", {})


class BrowserStream(EventStream):
    """One open page. It knows which versions of the parts it has sent, so a slow reader gets the newest, not all."""

    __slots__ = ("_beat", "page", "session")

    def __init__(self, send: ASGISendCallable, *, session: str) -> None:
        super().__init__(send)
        self.session = session
        self.page: OpenPage | None = None
        self._beat: bytes | None = None

    def beat(self, heartbeat: bytes) -> None:
        self._beat = heartbeat
        self.wake()

    def take(self) -> bytes | None:
        beat, self._beat = self._beat, None
        news = self.page.news() if self.page is not None else []
        partials = [f'<hx-partial hx-target="#{slot.part.target}">{slot.html}</hx-partial>' for slot in news]
        message = wire.message("\n".join(partials)) if partials else b""
        return (message + (beat or b"")) or None


class BrowserStreams:
    """Checks who asks, in the threads of `pool`, and carries the parts of the board to the open pages."""

    def __init__(self, hub: Hub, board: Board, *, pool: WorkerPool) -> None:
        self._hub = hub
        self._board = board
        self._pool = pool
        self._streams: set[BrowserStream] = set()

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["method"] != "GET":
            headers = ((b"allow", b"GET"),)
            await send_error(send, 405, "method_not_allowed", "The stream is read with GET.", headers=headers)
            return
        page = "".join(parse_qs(scope["query_string"].decode("latin-1")).get("page", ())[:1])
        if PAGE.fullmatch(page) is None:
            message = "page must be the name of a page, such as overview."
            await send_error(send, 400, "bad_request", message, details={"field": "page"})
            return
        session = session_key(scope)
        allowed = await self._signed_in(session)
        if allowed is None or self._hub.closing or len(self._streams) >= MOST_STREAMS:
            message = "The console cannot serve another live page now."
            await send_error(send, 503, "unavailable", message, headers=RETRY_SOON)
        elif not allowed:
            await send_error(send, 401, "not_authenticated", "Sign in first.")
        else:
            await self._carry(BrowserStream(send, session=session), page, receive)

    async def _carry(self, stream: BrowserStream, page: str, receive: ASGIReceiveCallable) -> None:
        opened = stream.page = self._board.open_page(page, stream.wake)
        self._streams.add(stream)
        try:
            await stream.serve(receive, self._heartbeat())
        finally:
            self._streams.discard(stream)
            self._board.close_page(opened)

    def end_all(self) -> None:
        for stream in self._streams:
            stream.end()

    # Jobs of the service

    async def beat(self) -> None:
        """The page takes everything for stale when no heartbeat comes, and says so when the console has lost its database."""
        while True:
            await asyncio.sleep(HEARTBEAT)
            heartbeat, now = self._heartbeat(), clock()
            for stream in self._streams:
                stream.cut_if_stalled(now)
                stream.beat(heartbeat)

    async def watch_sessions(self) -> None:
        while True:
            await asyncio.sleep(LOOK_AT_SESSIONS)
            for session in {stream.session for stream in self._streams}:
                if await self._signed_in(session) is False:
                    self._sign_out(session)

    def _sign_out(self, session: str) -> None:
        for stream in self._streams:
            if stream.session == session:
                stream.end(SIGNED_OUT)

    def _heartbeat(self) -> bytes:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return wire.event("heartbeat", {"now": now, "database": self._hub.database_answers})

    async def _signed_in(self, session: str) -> bool | None:
        """None: not known, as the database does not answer."""
        if not session:
            return False
        try:
            return await asyncio.wait_for(
                self._pool.submit(in_database(lambda: signed_in(session))), PATIENCE
            )
        except (DatabaseError, PoolFull, TimeoutError):
            return None
