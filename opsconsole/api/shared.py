"""GET of an address whose answer is the same for everybody who may have it: all who wait get it from one read.

An answer is kept for a quarter of a second. What must never be told late has a version, such as the kill switch's epoch: it is read for every
answer, after the request has come, and what was kept under another version is read anew. Whatever is not plainly for here (another method, a
query, a browser's session, an unknown token) goes to Django's view, which gives the same answer and knows every refusal.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from uuid import uuid4

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.db import Error as DatabaseError

from opsconsole.api.admission import Admissions
from opsconsole.api.errors import STATUS_CODES, is_away
from opsconsole.api.middleware import SANE
from opsconsole.live.acknowledge import Endpoint
from opsconsole.live.database import in_database
from opsconsole.pool import PoolFull, WorkerPool
from opsconsole.replies import AWAY, AWAY_CODE, RETRY_SOON, Headers, body, send_error, start

log = logging.getLogger(__name__)

# A read, and the look-up of a token before it, may take so long each; then the database is away. Seconds.
PATIENCE = 1.3
ADMISSION_PATIENCE = 0.4
# A read that has not ended for so long is not waited for any more: its connection may be dead. Seconds.
GIVEN_UP = 5.0
# So long an answer is kept. Seconds.
KEPT = 0.25
# One that reads, and as many that hang.
THREADS = 4
ADMITTING_THREADS, ADMITTING_LINE = 1, 1000
FIXED: Headers = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status of HTTP, and JSON."""

    status: int
    content: bytes


Read = Callable[[], Answer]
# One short statement; what it gives changes with everything that must be told at once.
Version = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Kept:
    """`version` and `at` (monotonic) were read before the answer was."""

    answer: Answer
    version: object
    at: float


class Keeping:
    """Gives the answer that is kept as long as it holds. In one thread at a time; those that hang come too late to be kept."""

    def __init__(self, read: Read, version: Version | None) -> None:
        self._read = read
        self._version = version
        self._kept: Kept | None = None

    def fresh(self) -> Answer | None:
        """Without asking anybody; None: that cannot be said."""
        kept = self._kept
        return kept.answer if self._version is None and kept is not None and _is_fresh(kept) else None

    def answer(self) -> Answer:
        at = monotonic()
        version = self._version() if self._version is not None else None
        kept = self._kept
        if kept is not None and kept.version == version and _is_fresh(kept):
            return kept.answer
        answer = self._read()
        if self._kept is None or self._kept.at <= at:
            self._kept = Kept(answer, version, at)
        return answer


def _is_fresh(kept: Kept) -> bool:
    return monotonic() - kept.at < KEPT


class SharedAnswer:
    """`otherwise` answers what is not for here. `permission` None: every account may; `public`: everybody. Made on the event loop."""

    def __init__(
        self,
        otherwise: Endpoint,
        read: Read,
        *,
        version: Version | None = None,
        permission: str | None = None,
        public: bool = False,
    ) -> None:
        self._otherwise = otherwise
        self._public = public
        self._admitting = WorkerPool("admit", threads=ADMITTING_THREADS, waiting=ADMITTING_LINE)
        self._admissions = Admissions(self._admitting, permission=permission)
        self._keeping = Keeping(read, version)
        self._reads = SharedReads(self._keeping.answer)

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["method"] != "GET" or scope["query_string"] or not await self._is_admitted(scope):
            await self._otherwise(scope, receive, send)
            return
        headers = ((b"x-request-id", _request_id(scope)),)
        try:
            answer = self._keeping.fresh()
            if answer is None:
                async with asyncio.timeout(PATIENCE):
                    answer = await self._reads.next()
        except Exception as error:
            if isinstance(error, PoolFull | TimeoutError) or is_away(error):
                log.warning("The database cannot be reached: %s", type(error).__name__)
                await send_error(send, 503, AWAY_CODE, AWAY, headers=RETRY_SOON + headers)
            else:
                log.exception("The answer to GET %s failed", scope["path"])
                await send_error(send, 500, *STATUS_CODES[500], headers=headers)
            return
        length = b"%d" % len(answer.content)
        await send(start(answer.status, (*FIXED, (b"content-length", length), *headers)))
        await send(body(answer.content))

    async def close(self) -> None:
        await self._reads.close()
        await self._admitting.close(grace=0)

    async def _is_admitted(self, scope: HTTPScope) -> bool:
        if self._public:
            return True
        try:
            async with asyncio.timeout(ADMISSION_PATIENCE):
                return await self._admissions.actor(scope) is not None
        except (DatabaseError, PoolFull, TimeoutError):
            # Django's view says so.
            return False


class SharedReads:
    """One read at a time; who comes while one is under way waits for the next, which begins when it ends."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._pool = WorkerPool("shared-read", threads=THREADS, waiting=0)
        self._running = False
        self._next: asyncio.Future[Answer] | None = None

    async def next(self) -> Answer:
        """From a read that begins after this call. Raises what it raises, and PoolFull."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            # Read even if nobody waits for it any more, so that it does not count as overlooked.
            self._next.add_done_callback(lambda done: done.cancelled() or done.exception())
            # Not before all that has come with it is heard, so that it waits for the same read.
            asyncio.get_running_loop().call_soon(self._begin)
        return await asyncio.shield(self._next)

    async def close(self) -> None:
        await self._pool.close(grace=0)

    def _begin(self) -> None:
        """Read for all who wait, unless a read is under way."""
        if self._running or self._next is None:
            return
        waiting, self._next = self._next, None
        try:
            reading = self._pool.submit(in_database(self._read))
        except PoolFull as error:
            waiting.set_exception(error)
            return
        self._running = True
        loop = asyncio.get_running_loop()
        over = False

        def go_on() -> None:
            nonlocal over
            if not over:
                over, self._running = True, False
                self._begin()

        def done(reading: asyncio.Future[Answer]) -> None:
            patience.cancel()
            if not waiting.done():
                _pass_on(reading, waiting)
            go_on()

        def give_up() -> None:
            if not waiting.done():
                waiting.set_exception(TimeoutError())
            go_on()

        patience = loop.call_later(GIVEN_UP, give_up)
        reading.add_done_callback(done)


def _pass_on(done: "asyncio.Future[Answer]", waiting: "asyncio.Future[Answer]") -> None:
    error = done.exception()
    if error is not None:
        waiting.set_exception(error)
    else:
        waiting.set_result(done.result())


def _request_id(scope: HTTPScope) -> bytes:
    for name, value in scope["headers"]:
        if name.lower() == b"x-request-id" and SANE.fullmatch(value.decode("latin-1")):
            return bytes(value)
    return uuid4().hex.encode()
