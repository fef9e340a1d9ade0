"""The hub's one connection to PostgreSQL: it listens, and reads the snapshot again and again."""

import asyncio
import contextlib
import json
import logging
import os
import random
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

import psycopg
from psycopg.types.string import TextLoader

from opsconsole.live.clock import clock
from opsconsole.live.publish import CHANNEL

log = logging.getLogger(__name__)
T = TypeVar("T")

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One successful read. `s`: the hub's clock before it began; `db_now`: the database's clock during it; `state`: JSON text."""

    s: float
    epoch: int
    db_now: datetime
    state: str


class Listener(Protocol):
    """Who hears of it, on the event loop."""

    def on_reading(self, reading: Reading) -> None: ...

    def on_topic(self, topic: str) -> None: ...

    def on_listening(self) -> None:
        """LISTEN has begun anew: what was announced before is not known."""
        ...


class SnapshotReader:
    """Reads every `every` seconds, at once when one of `topics` is announced, and whenever `wake()` is called."""

    def __init__(
        self,
        listener: Listener,
        *,
        parameters: Callable[[], Mapping[str, Any]],
        sql: str,
        topics: frozenset[str],
        every: float,
        give_up: float,
    ) -> None:
        self._listener = listener
        self._parameters = parameters
        self._sql = sql
        self._topics = topics
        self._every = every
        # Seconds after which an unanswered question means that the connection is dead.
        self._give_up = give_up
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        self._wanted.set()

    async def run(self) -> None:
        """Works until it is cancelled; connects again after every failure."""
        pause = FIRST_PAUSE
        while True:
            began = clock()
            try:
                await self._session()
            except (psycopg.Error, OSError) as error:
                log.warning("Reading the database failed: %s", type(error).__name__)
            except Exception:
                log.exception("Reading the database failed")
            pause = FIRST_PAUSE if clock() - began > LONGEST_PAUSE else min(2 * pause, LONGEST_PAUSE)
            # Not for secrets: hubs that lost the same server should not all come back at the same moment.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311

    async def _session(self) -> None:
        conn = await psycopg.AsyncConnection.connect(**self._parameters())
        try:
            conn.adapters.register_loader("jsonb", TextLoader)
            conn.add_notify_handler(lambda notify: self._heard(notify.payload))
            await self._answered(conn, conn.execute(f"LISTEN {CHANNEL}"))
            self._listener.on_listening()
            while True:
                began = await self._read(conn)
                await self._rest(conn, began + self._every - clock())
        finally:
            await conn.close()

    async def _read(self, conn: psycopg.AsyncConnection[Any]) -> float:
        """One read. The clock is noted before it begins: that is what a lease is worth (docs/protocol.md)."""
        self._wanted.clear()
        s = clock()
        cursor = await self._answered(conn, conn.execute(self._sql))
        row = await cursor.fetchone()
        if row is None:
            raise psycopg.DataError("the snapshot has no row")
        epoch, db_now, state = row
        self._listener.on_reading(Reading(s=s, epoch=epoch, db_now=db_now, state=state))
        return s

    async def _answered(self, conn: psycopg.AsyncConnection[Any], question: Awaitable[T]) -> T:
        """The answer, however late; a late one carries the time noted before it, so it is worth less, not wrong.

        A cancelled psycopg query waits for the server's consent, which a frozen server never gives. So when patience ends, the socket is shut
        down, and the query fails at once by itself.
        """
        task = asyncio.ensure_future(question)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._give_up)
        except asyncio.CancelledError:
            _hang_up(conn)
            await asyncio.wait({task})
            # Read, so that it does not count as overlooked.
            task.exception()
            raise
        if not done:
            _hang_up(conn)
        return await task

    async def _rest(self, conn: psycopg.AsyncConnection[Any], seconds: float) -> None:
        loop = asyncio.get_running_loop()
        descriptor = conn.fileno()
        loop.add_reader(descriptor, self._incoming, conn)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), max(seconds, 0))
        finally:
            loop.remove_reader(descriptor)

    def _incoming(self, conn: psycopg.AsyncConnection[Any]) -> None:
        """Between reads: announcements, or the end of the connection, which the next read then reports."""
        try:
            conn.pgconn.consume_input()
            while (notify := conn.pgconn.notifies()) is not None:
                self._heard(notify.extra.decode())
        except psycopg.Error:
            self.wake()

    def _heard(self, payload: str) -> None:
        try:
            topic = str(json.loads(payload)["topic"])
        except (ValueError, KeyError, TypeError):
            log.warning("An announcement on the channel %s cannot be read", CHANNEL)
            return
        if topic in self._topics:
            self.wake()
        self._listener.on_topic(topic)


def _hang_up(conn: psycopg.AsyncConnection[Any]) -> None:
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(conn.fileno())) as sock:
        sock.shutdown(socket.SHUT_RDWR)
