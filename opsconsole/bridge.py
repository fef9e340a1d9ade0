"""From ASGI to Django's WSGI application: one hop into a pool of threads for each request.

The body is read first, bounded. The thread runs the application and drains the answer's iterator; a short answer comes back as a whole, a
long or lazy one piece by piece, each made only when the piece before has been taken.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from opsconsole.environ import Environ, environ
from opsconsole.live import wire
from opsconsole.pool import PoolFull, WorkerPool
from opsconsole.replies import CLOSE, RETRY_SOON, Headers, body, send_error, start

log = logging.getLogger(__name__)

Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
# Answers in the application's stead, while the database is away.
Refusal = Callable[[HTTPScope, ASGISendCallable], Awaitable[None]]

# An answer up to this long needs no second hop; a longer one travels in pieces of about this size.
PIECE_BYTES = 256 * 1024
# A lazy answer that makes its pieces slowly is sent on at least this often. Seconds.
PIECE_SECONDS = 0.5
# A reader that takes nothing for this long loses the rest. Seconds.
STALLED = 30.0
# Of a body that is too long this much is read and thrown away, so that the client gets to see the refusal.
DISCARDED_BYTES = 16 * 1024 * 1024
DISCARD_SECONDS = 5.0
# A request that has waited for so long is answered if the database is away, and was so a look before: its thread may wait for good. Seconds.
AWAY_SECONDS = 1.0
LOOK_SECONDS = 0.4
# RFC 9110: no body, and no length of one.
BODYLESS = frozenset({204, 304})
READING = frozenset({"GET", "HEAD"})


class BodyTooLong(Exception):
    """The request's body exceeds the limit."""


class ClientLeft(Exception):
    """The client disconnected."""


@dataclass(slots=True)
class Answer:
    """The answer's head, and its body as far as it is known: the whole, or the first piece if `more`."""

    status: int
    headers: Headers
    data: bytes
    more: bool


class Bridge:
    """Serves HTTP requests with a WSGI application in the threads of `pool`.

    `is_away` says whether the database does not answer. Then `refuse` answers what waits, in its stead.
    """

    def __init__(
        self,
        application: Application,
        *,
        pool: WorkerPool,
        body_limit: int,
        is_away: Callable[[], bool] = lambda: False,
        refuse: Refusal | None = None,
    ) -> None:
        self._application = application
        self._pool = pool
        self._body_limit = body_limit
        self._is_away = is_away
        self._refuse = refuse

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        try:
            content = await _read_body(scope, receive, self._body_limit)
        except ClientLeft:
            return
        except BodyTooLong:
            message = f"The body may be up to {self._body_limit} bytes long."
            details = {"allowed_bytes": self._body_limit}
            await send_error(send, 413, "body_too_long", message, details=details, headers=CLOSE)
            return
        exchange = Exchange(self._application, environ(scope, content))
        try:
            job = self._pool.submit(exchange.run)
        except PoolFull:
            message = "The console is busy. Try again in a moment."
            await send_error(send, 503, "busy", message, headers=RETRY_SOON)
            return
        job.add_done_callback(exchange.finished)
        try:
            if self._refuse is not None and not await self._begins(exchange):
                await self._refuse(scope, send)
            else:
                await _reply(exchange, receive, send)
        finally:
            exchange.leave()

    async def _begins(self, exchange: "Exchange") -> bool:
        """Wait until the answer begins. False: the database is away, so nobody can tell when, or whether, it will."""
        if await exchange.begins(AWAY_SECONDS):
            return True
        was_away = self._is_away()
        while not await exchange.begins(LOOK_SECONDS):
            away = self._is_away()
            if away and was_away:
                return False
            was_away = away
        return True


async def _reply(exchange: "Exchange", receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    answer = await exchange.next_piece()
    if answer is None:
        await send_error(send, 500, "internal_error", "The console failed; its log says why.")
        return
    await send(start(answer.status, answer.headers))
    if not answer.more:
        await send(body(answer.data))
        return
    watcher = asyncio.ensure_future(_watch(exchange, receive))
    try:
        while not exchange.left:
            async with asyncio.timeout(STALLED):
                await send(body(answer.data, more=answer.more))
            if not answer.more:
                return
            exchange.taken()
            piece = await exchange.next_piece()
            if piece is None:
                # The answer broke off: without its proper end, the client can tell.
                return
            answer = piece
    except TimeoutError:
        wire.cut(send)
    finally:
        watcher.cancel()


async def _watch(exchange: "Exchange", receive: ASGIReceiveCallable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    exchange.leave()


class Exchange:
    """One request and its answer, between a pool thread (`run`) and the event loop (everything else)."""

    def __init__(self, application: Application, request: Environ) -> None:
        self._application = application
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.Future[Answer | None] = self._loop.create_future()
        # The thread may go on: the piece before has been taken, or nobody is there any more.
        self._go_on = threading.Event()
        self.left = False
        self._status = 0
        self._headers: Headers = ()
        self._written: list[bytes] = []

    # On the event loop

    async def next_piece(self) -> Answer | None:
        """The next piece; None if the application failed."""
        answer = await self._next
        if answer is not None and answer.more:
            self._next = self._loop.create_future()
        return answer

    async def begins(self, seconds: float) -> bool:
        """Whether there is a first piece within so many seconds."""
        if not self._next.done():
            await asyncio.wait({self._next}, timeout=seconds)
        return self._next.done()

    def taken(self) -> None:
        """The last piece has gone out; the thread may make the next."""
        self._go_on.set()

    def finished(self, job: asyncio.Future[Answer]) -> None:
        """The thread is done: its result is the last piece."""
        failed = job.cancelled() or job.exception() is not None
        self._offer(None if failed else job.result())

    def leave(self) -> None:
        """Nobody waits for more."""
        self.left = True
        self._go_on.set()

    def _offer(self, answer: Answer | None) -> None:
        if not self._next.done():
            self._next.set_result(answer)

    # In the thread

    def run(self) -> Answer:
        """Run the application; give the last piece back, having offered those before. Logs what goes wrong, and raises."""
        try:
            if self.left and self._request["REQUEST_METHOD"] in READING:
                # It has waited in line until nobody wanted the answer any more. What changes something is carried out all the same.
                raise ClientLeft
            return self._run()
        except ClientLeft:
            raise
        except Exception:
            log.exception(
                "The answer to %s %s failed", self._request["REQUEST_METHOD"], self._request["PATH_INFO"]
            )
            raise

    def _run(self) -> Answer:
        result = self._application(self._request, self._start_response)
        try:
            bodyless = self._request["REQUEST_METHOD"] == "HEAD" or self._status in BODYLESS
            return self._answer(b"", more=False) if bodyless else self._drain(result)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()

    def _drain(self, result: Iterable[bytes]) -> Answer:
        pieces, size, since = self._written, sum(map(len, self._written)), time.monotonic()
        for piece in result:
            pieces.append(piece)
            size += len(piece)
            if size >= PIECE_BYTES or (size and time.monotonic() - since > PIECE_SECONDS):
                self._hand_over(b"".join(pieces))
                pieces, size, since = [], 0, time.monotonic()
        return self._answer(b"".join(pieces), more=False)

    def _hand_over(self, data: bytes) -> None:
        """Give a piece to the loop, and wait until it asks for the next. Raises ClientLeft."""
        self._go_on.clear()
        if not self.left:
            self._loop.call_soon_threadsafe(self._offer, self._answer(data, more=True))
            self._go_on.wait()
        if self.left:
            raise ClientLeft

    def _answer(self, data: bytes, *, more: bool) -> Answer:
        if not self._status:
            raise RuntimeError("the application did not call start_response")
        return Answer(self._status, self._headers, data, more)

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        self._status = int(status[:3])
        self._headers = tuple(
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers
            if not (self._status in BODYLESS and name.lower() == "content-length")
        )
        return self._written.append


async def _read_body(scope: HTTPScope, receive: ASGIReceiveCallable, limit: int) -> bytes:
    """The whole body. Raises BodyTooLong or ClientLeft."""
    length = _announced_length(scope)
    if length == 0:
        return b""
    pieces: list[bytes] = []
    size, more = length if length is not None and length > limit else 0, True
    while more:
        if size > limit:
            await _discard(receive)
            raise BodyTooLong
        piece, more = await _receive_piece(receive)
        pieces.append(piece)
        size += len(piece)
    if size > limit:
        raise BodyTooLong
    return b"".join(pieces)


def _announced_length(scope: HTTPScope) -> int | None:
    """0 if there is no body, None if it comes in chunks."""
    length = 0
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return None
        # The server has refused anything but digits.
        if name == b"content-length":
            length = int(value)
    return length


async def _receive_piece(receive: ASGIReceiveCallable) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] != "http.request":
        raise ClientLeft
    return message.get("body", b""), message.get("more_body", False)


async def _discard(receive: ASGIReceiveCallable) -> None:
    size, more = 0, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while more and size < DISCARDED_BYTES:
                piece, more = await _receive_piece(receive)
                size += len(piece)
