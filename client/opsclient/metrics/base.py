"""How a collector of metrics finds its console, flushes, says how things stand, and ends."""

import asyncio
import atexit
import logging
import os
import time
from multiprocessing import util
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from opsclient import clock, fork, journal
from opsclient.config import ARGUMENTS, choose_name, endpoint_from_environment
from opsclient.console import OpsConsole
from opsclient.errors import ConfigurationError
from opsclient.handlers import running_loop
from opsclient.metrics.desk import NO_CONSOLE, Desk
from opsclient.metrics.series import Book
from opsclient.transport import Endpoint

logger = logging.getLogger("opsclient")

LOOK_S = 0.005


class Base:
    """The base of MetricsCollector."""

    def __init__(
        self,
        console_url: str | None = None,
        token: str | None = None,
        client: str | None = None,
        spool_dir: str | os.PathLike[str] | None = None,
        *,
        console: OpsConsole | None = None,
        verify: str | Path | None = None,
        spool_batches: int = 3_600,
        spool_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        known = console or OpsConsole.current()
        self.client = choose_name(client, "" if known is None else known.name, argument="client")
        for argument, limit in (("spool_batches", spool_batches), ("spool_bytes", spool_bytes)):
            if isinstance(limit, bool) or not isinstance(limit, int) or limit < 2:
                raise ConfigurationError(f"{argument} must be a whole number, 2 or more, not {limit!r:.40}")
        self._console = console
        self._given = _given_endpoint(console_url, token, verify, console)
        folder, problem = journal.choose(spool_dir, name=self.client, kind="metrics")
        if folder is None:
            logger.warning("the spool of metrics is kept in memory alone: %s", problem)
        self._book = Book()
        self._closed = False
        self._desk = Desk(
            self._find_endpoint,
            client=self.client,
            folder=folder,
            folder_problem=problem,
            most=spool_batches,
            most_bytes=spool_bytes,
        )
        self._begin()
        fork.follow(self)
        atexit.register(self.close)
        self.close_with_worker()
        util.register_after_fork(self, type(self).close_with_worker)

    def _begin(self) -> None:
        """At the start, and in a forked child."""
        self._tally = self._desk.tally

    def close_with_worker(self) -> None:
        """A worker of multiprocessing ends without atexit, and forgets at its start what was to be done at its end."""
        self._at_end = util.Finalize(None, self.close, exitpriority=10)

    def flush(self, now: bool = True, timeout: float = 5.0) -> bool:
        """Whether the console has all that was recorded before, and what an earlier process left; waits for it at most `timeout` seconds.

        now: send at once, not within the second. Inside a running event loop it does not wait (`flush_async` does).
        """
        mark = self._mark(now)
        until = clock.now() + (timeout if running_loop() is None else 0.0)
        while not self._desk.has(mark):
            if clock.now() >= until:
                return False
            time.sleep(LOOK_S)
        return True

    async def flush_async(self, now: bool = True, timeout: float = 5.0) -> bool:  # noqa: ASYNC109  # as `flush`
        """As `flush`, without holding up the event loop."""
        mark = self._mark(now)
        until = clock.now() + timeout
        while not self._desk.has(mark):
            if clock.now() >= until:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def status(self) -> dict[str, Any]:
        """How things stand: what waits, since when, and the last error.

        `console`: its address, or None. `waiting_batches`, `waiting_bytes`: what the console does not have. `waiting_since`: when
        the oldest of it was flushed (ISO 8601, UTC), or None. `away`: why nothing can be sent now, else None. `last_error`,
        `last_sent_at`: texts or None. `sent_batches`, `rejected_series`, `given_up_batches`: since the start. `spool_dir`: a path,
        or None if the spool is kept in memory alone, and then `spool_problem` says why.
        """
        spool, sender = self._desk.spool, self._desk.sender
        if spool is None or sender is None:
            return _unconnected()
        waiting = spool.waiting()
        return {
            "console": self._desk.url,
            "waiting_batches": waiting.batches,
            "waiting_bytes": waiting.bytes,
            "waiting_since": waiting.since or None,
            "away": sender.away or None,
            "last_error": sender.last_error or None,
            "last_sent_at": sender.last_sent_at or None,
            "sent_batches": sender.sent,
            "rejected_series": sender.rejected,
            "given_up_batches": sender.given_up,
            "spool_dir": None if spool.folder is None else str(spool.folder),
            "spool_problem": spool.problem or None,
        }

    def close(self, timeout: float = 1.0) -> None:
        """Flush and deliver, for at most about `timeout` seconds; the rest stays in the spool. What is recorded later is not sent."""
        if self._closed:
            return
        self._closed = True
        fork.forget(self)
        atexit.unregister(self.close)
        self._at_end.cancel()
        self._desk.close(clock.now() + timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = self._desk.url or "no console"
        return f"<{type(self).__name__} {where} client={self.client!r}>"

    def restart_in_child(self) -> None:
        """After a fork, in the child: it counts from nothing; what is not sent is the parent's."""
        self._desk.restart_in_child()
        self._begin()

    def _mark(self, now: bool) -> int:
        mark = self._desk.mark()
        if now:
            self._desk.hurry_all()
        return mark

    def _find_endpoint(self) -> Endpoint | None:
        if self._given is not None:
            return self._given
        console = self._console or OpsConsole.current()
        return console.endpoint if console is not None else endpoint_from_environment()


_CALLED = {**ARGUMENTS, "url": "console_url"}


def _given_endpoint(
    url: str | None, token: str | None, verify: str | Path | None, console: OpsConsole | None
) -> Endpoint | None:
    """The console that the arguments name, if they name one."""
    if url is None and token is None and verify is None:
        return None
    if console is not None:
        raise ConfigurationError("console cannot be given together with console_url, token or verify")
    endpoint = endpoint_from_environment(url, token=token, verify=verify, called=_CALLED)
    if endpoint is None:
        raise ConfigurationError("console_url is missing, and OPSCLIENT_URL is not set")
    return endpoint


def _unconnected() -> dict[str, Any]:
    nothing = dict.fromkeys(("console", "waiting_since", "last_sent_at", "spool_dir", "spool_problem"), None)
    numbers = dict.fromkeys(
        ("waiting_batches", "waiting_bytes", "sent_batches", "rejected_series", "given_up_batches"), 0
    )
    return {**nothing, **numbers, "away": NO_CONSOLE, "last_error": NO_CONSOLE}
