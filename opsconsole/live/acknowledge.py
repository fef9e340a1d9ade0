"""POST /monitoring/kill-switch/acknowledge of processes whose streams this hub holds: after a stop they all come at once.

They are taken on the event loop and recorded together, one commit for all that arrived meanwhile. Whatever is not plainly such an
acknowledgement (another hub's stream, another token, a body that is not right) goes to Django, which knows how to answer it.
"""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, cast

from asgiref.typing import ASGIReceiveCallable, ASGIReceiveEvent, ASGISendCallable, HTTPScope

from opsconsole.live.database import in_database
from opsconsole.live.feeds import Acknowledged, Told, TradingFeed
from opsconsole.live.hub import Hub
from opsconsole.live.incoming import again, read, whole
from opsconsole.pool import WorkerPool
from opsconsole.replies import RETRY_SOON, send_error, send_json

log = logging.getLogger(__name__)

Endpoint = Callable[[HTTPScope, ASGIReceiveCallable, ASGISendCallable], Awaitable[None]]

LONGEST_BODY = 16 * 1024
MOST_ACTIVATIONS = 100
LARGEST = 2**63 - 1
# Seconds that an answer may take; the process asks again after that.
PATIENCE = 4.0


def voice(authorization: str | None) -> bytes | None:
    """What tells whether two requests carry the same token, without keeping it."""
    return sha256(authorization.encode("latin-1")).digest() if authorization else None


class Acknowledgements:
    """`otherwise` answers what is not for here. One thread records, so that what arrives while it works goes together."""

    def __init__(self, hub: Hub, feed: TradingFeed, *, otherwise: Endpoint) -> None:
        self._hub = hub
        self._feed = feed
        self._otherwise = otherwise
        self._pool = WorkerPool("acknowledge", threads=1, waiting=1)
        self._waiting: list[tuple[Told, asyncio.Future[Acknowledged]]] = []
        self._recorder: asyncio.Task[None] | None = None

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["method"] != "POST":
            await self._otherwise(scope, receive, send)
            return
        events = await read(receive, longest=LONGEST_BODY)
        told = self._told(scope, events)
        if told is None:
            await self._otherwise(scope, again(events, receive), send)
            return
        try:
            async with asyncio.timeout(PATIENCE):
                done = await self._record(told)
        except Exception as error:
            log.warning("Recording an acknowledgement failed: %s", type(error).__name__)
            message = "The database cannot be reached."
            await send_error(send, 503, "unavailable", message, headers=RETRY_SOON)
            return
        await send_json(send, 200, {"acknowledged": done.acknowledged, "unknown": done.unknown})

    async def close(self) -> None:
        await self._pool.close(grace=0)

    def _told(self, scope: HTTPScope, events: list[ASGIReceiveEvent]) -> Told | None:
        body = whole(events)
        headers = {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
        if body is None or len(body) > LONGEST_BODY or headers.get(b"content-type") != b"application/json":
            return None
        try:
            fields = json.loads(body)
        except ValueError:
            return None
        speaker = voice(headers.get(b"authorization", b"").decode("latin-1"))
        client_id = self._speaker(fields, speaker) if speaker and isinstance(fields, dict) else None
        return _parsed(client_id, fields) if client_id is not None else None

    def _speaker(self, fields: dict[str, Any], speaker: bytes) -> int | None:
        """The process that says this, if it holds a stream here that was opened with the same token."""
        stream = self._hub.streams.get(f"{fields.get('name')}/{fields.get('instance')}")
        if stream is None or stream.voice is None or not hmac.compare_digest(stream.voice, speaker):
            return None
        return stream.grant.client_id

    async def _record(self, told: Told) -> Acknowledged:
        answer: asyncio.Future[Acknowledged] = asyncio.get_running_loop().create_future()
        self._waiting.append((told, answer))
        if self._recorder is None or self._recorder.done():
            self._recorder = asyncio.ensure_future(self._record_all())
        return await answer

    async def _record_all(self) -> None:
        while self._waiting:
            await self._record_waiting()

    async def _record_waiting(self) -> None:
        # Whoever has waited too long asks again by himself.
        batch = [(told, answer) for told, answer in self._waiting if not answer.done()]
        self._waiting = []
        if not batch:
            return
        try:
            answers = await self._pool.submit(
                in_database(lambda: self._feed.acknowledge([told for told, _ in batch]))
            )
        except Exception as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), done in zip(batch, answers, strict=True):
            if not answer.done():
                answer.set_result(done)


def _parsed(client_id: int, fields: dict[str, Any]) -> Told | None:
    epoch, activations = fields.get("epoch"), fields.get("activations")
    if not _whole_number(epoch) or not isinstance(activations, list) or len(activations) > MOST_ACTIVATIONS:
        return None
    if not all(map(_whole_number, activations)):
        return None
    return Told(client_id, cast("int", epoch), tuple(activations))


def _whole_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST
