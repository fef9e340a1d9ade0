"""POST /api/v2/alerts on the event loop: what Prometheus sends all day, and what comes in a storm.

Alerts that are known to fire cost a look-up each; requests that wait together are committed together; 200 is said after the commit.
Whatever is not plainly right (another method or content type, an unknown token, a body that does not fit the contract) goes to Django's view.
"""

import asyncio
import logging

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.conf import settings
from django.utils import timezone

from alerts.alertmanager.committer import Committer, LineFull
from alerts.alertmanager.errors import Refused, handler_error, http_error
from alerts.alertmanager.known import KnownAlerts
from alerts.alertmanager.parcels import NotPlain, read_parcel
from alerts.alertmanager.recording import TooManyPosted
from opsconsole.api.admission import Admissions
from opsconsole.audit.actor import Actor
from opsconsole.live.acknowledge import Endpoint
from opsconsole.live.incoming import again, read, whole
from opsconsole.pool import PoolFull, WorkerPool
from opsconsole.replies import RETRY_SOON, Headers, body, start

log = logging.getLogger(__name__)

PERMISSION = "alerts.raise_alert"
PATHS = ("/api/v2/alerts", "/api/v2/alerts/")
# Seconds that a commit may take; Prometheus gives up after ten.
PATIENCE = 8.0
ADMITTING_THREADS = 1
ADMITTING_LINE = 1000
LAST_COMMITS = 1.0
_FIXED: Headers = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)


class AlertsEndpoint:
    """`otherwise` answers what is not for here. Made on the event loop."""

    def __init__(self, otherwise: Endpoint) -> None:
        self._otherwise = otherwise
        self._pool = WorkerPool("admit", threads=ADMITTING_THREADS, waiting=ADMITTING_LINE)
        self._admissions = Admissions(self._pool, permission=PERMISSION)
        self._known = KnownAlerts()
        self._committer = Committer(self._known)

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["method"] != "POST" or not _is_json(scope):
            await self._otherwise(scope, receive, send)
            return
        events = await read(receive, longest=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        content = whole(events)
        actor = await self._actor(scope) if content else None
        if not content or actor is None:
            await self._otherwise(scope, again(events, receive), send)
            return
        try:
            problems = await self._take(content, actor)
        except NotPlain:
            await self._otherwise(scope, again(events, receive), send)
        except Refused as error:
            await _answer(send, error.status, error.body(), RETRY_SOON)
        else:
            if problems:
                await _answer(send, 400, handler_error("; ".join(problems)).body())
            else:
                await _answer(send, 200, b"")

    async def close(self) -> None:
        await self._committer.close(grace=LAST_COMMITS)
        await self._pool.close(grace=0)

    async def _actor(self, scope: HTTPScope) -> Actor | None:
        """None also while the database is away: Django's view then says so."""
        try:
            return await self._admissions.actor(scope)
        except PoolFull:
            return None
        except Exception as error:
            log.warning("Looking up who posts alerts failed: %s", type(error).__name__)
            return None

    async def _take(self, content: bytes, actor: Actor) -> list[str]:
        """Raises NotPlain, or Refused (503) when it was not recorded in time or at all."""
        parcel = read_parcel(content, actor=actor, known=self._known, now=timezone.now())
        if not parcel.size:
            return []
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._committer.take(parcel)
        except (LineFull, TooManyPosted):
            raise http_error(503, "Too many alerts wait to be recorded. Send them again.") from None
        except Exception as error:
            log.warning("Recording alerts failed: %s", type(error).__name__)
            raise http_error(503, "The alerts could not be recorded. Send them again.") from None


def _is_json(scope: HTTPScope) -> bool:
    return any(
        name.lower() == b"content-type" and value == b"application/json" for name, value in scope["headers"]
    )


async def _answer(send: ASGISendCallable, status: int, data: bytes, headers: Headers = ()) -> None:
    await send(start(status, (*_FIXED, (b"content-length", b"%d" % len(data)), *headers)))
    await send(body(data))
