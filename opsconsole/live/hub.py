"""The hub: one for each web process. It turns reads of the database into states and leases for the trading processes."""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, Protocol

from opsconsole.live import wire
from opsconsole.live.clock import clock
from opsconsole.live.database import listener_parameters
from opsconsole.live.feeds import LEASE_COVER, SideFeed, StreamEnd, StreamGrant, TradingFeed
from opsconsole.live.ledger import RETRY, TOUCH_EVERY, DatabaseTime, Ledger
from opsconsole.live.reader import Reading, SnapshotReader
from opsconsole.live.side import SideChannel
from opsconsole.live.streams import TradingStream
from opsconsole.pool import WorkerPool

log = logging.getLogger(__name__)

# Seconds for what is still to be noted at shutdown.
LAST_WORDS = 0.7


class Pages(Protocol):
    """Who else wants to know what the hub's connection hears."""

    def on_topic(self, topic: str) -> None: ...

    def on_everything(self) -> None: ...


class Hub:
    """Holds the trading processes' streams. Everything here runs on the event loop and none of it waits for the database."""

    def __init__(
        self, feed: TradingFeed, *, term: float, pages: Pages, sides: Sequence[SideFeed] = ()
    ) -> None:
        self.id = secrets.token_hex(8)
        self.term = term
        self.renew = term / 4
        self.closing = False
        self.latest: Reading | None = None
        self.streams: dict[str, TradingStream] = {}
        # All that are open: those above, and those that end because a newer one has taken their place.
        self._open: set[TradingStream] = set()
        self._empty = asyncio.Event()
        self._pages = pages
        self._others: list[Callable[[str], None]] = []
        self._state = b""
        # The newest lease given to anybody, and the newest registration: together they bound what own streams may still rely on.
        self._given: DatabaseTime | None = None
        self._last_opened = 0.0
        self._pool = WorkerPool("ledger", threads=2, waiting=1000)
        self._sides = {side.event: SideChannel(side, streams=self.streams.values) for side in sides}
        self._ledger = Ledger(feed, hub=self.id, term=term, pool=self._pool)
        self._reader = SnapshotReader(
            self,
            parameters=listener_parameters,
            sql=feed.snapshot_sql,
            topics=feed.topics,
            every=self.renew,
            give_up=min(max(term, 1.0), 5.0),
        )

    # Life

    def jobs(self) -> tuple[Callable[[], Coroutine[Any, Any, None]], ...]:
        """Jobs that work until they are cancelled."""
        sides = (side.run for side in self._sides.values())
        return (self._reader.run, self._ledger.write_ends, self._watch, self._touch, *sides)

    def begin_shutdown(self) -> None:
        """Say bye to everybody. Servers wait for open answers before they tell the application to stop, so this comes first."""
        self.closing = True
        for stream in self._open:
            stream.bye("shutdown")

    async def emptied(self) -> None:
        """Wait a moment for the last streams to end."""
        if self._open:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), LAST_WORDS)

    async def close(self) -> None:
        await self._ledger.close(grace=LAST_WORDS)
        await self._pool.close(grace=0)
        for side in self._sides.values():
            await side.close()

    @property
    def database_answers(self) -> bool:
        """Whether a read has succeeded within half a term, which is two reads' time."""
        return self.latest is not None and clock() - self.latest.s < 2 * self.renew

    @property
    def epoch(self) -> int:
        return self.latest.epoch if self.latest is not None else 0

    def hear(self, heard: Callable[[str], None]) -> None:
        """Have `heard` called with each topic that is announced, after the streams and the pages. On the event loop: it returns at once."""
        self._others.append(heard)

    # Streams

    def forget(self, grant: StreamGrant) -> None:
        """The process was registered, but its stream never began."""
        self._note_end(grant, opened=clock(), lease_until=None)

    def add(self, stream: TradingStream) -> bytes:
        """Take the stream in; the events that open it follow `hello`. Only after the first reading, and not once closing."""
        older = self.streams.get(stream.grant.key)
        if older is not None:
            older.bye("replaced")
        self.streams[stream.grant.key] = stream
        self._open.add(stream)
        self._empty.clear()
        self._last_opened = max(self._last_opened, stream.opened)
        # Its first lease needs a read that begins now.
        self._reader.wake()
        for name, side in self._sides.items():
            if side.whole:
                stream.offer_side(name, side.whole, whole=side.whole)
        return self._state

    def remove(self, stream: TradingStream) -> None:
        if self.streams.get(stream.grant.key) is stream:
            del self.streams[stream.grant.key]
        self._open.discard(stream)
        if not self._open:
            self._empty.set()
        self._note_end(stream.grant, opened=stream.opened, lease_until=stream.lease_until)

    def _note_end(self, grant: StreamGrant, *, opened: float, lease_until: datetime | None) -> None:
        """A lease from a stream before this one may count as well, but no longer than a term after this one was opened."""
        assert self.latest is not None  # noqa: S101 - nobody is registered before the first reading
        earlier = DatabaseTime(self.latest.s, self.latest.db_now).at(opened + self.term)
        until = earlier if lease_until is None else max(earlier, lease_until)
        self._ledger.note_end(StreamEnd(grant.client_id, grant.opened_at, until))

    # What the reader reports

    def on_reading(self, reading: Reading) -> None:
        older, self.latest = self.latest, reading
        changed = older is None or older.state != reading.state or older.epoch != reading.epoch
        if changed:
            self._broadcast_state(reading)
            if older is None or older.epoch != reading.epoch:
                self._ledger.settle(epoch=reading.epoch, seen=clock(), over=self._own_leases_end())
            self._pages.on_everything()
        self._broadcast_lease(reading)

    def on_topic(self, topic: str) -> None:
        for side in self._sides.values():
            side.on_topic(topic)
        self._pages.on_topic(topic)
        for heard in self._others:
            heard(topic)

    def on_listening(self) -> None:
        self._pages.on_everything()

    def _broadcast_state(self, reading: Reading) -> None:
        state = {"epoch": reading.epoch, "s": reading.s} | json.loads(reading.state)
        self._state = wire.event("state", state)
        for stream in self.streams.values():
            stream.offer_state(self._state)

    def _broadcast_lease(self, reading: Reading) -> None:
        until = DatabaseTime(reading.s, reading.db_now).at(reading.s + self.term)
        lease = wire.event("lease", {"s": reading.s, "epoch": reading.epoch, "term": self.term})
        given = [
            stream for stream in self.streams.values() if stream.offer_lease(lease, s=reading.s, until=until)
        ]
        if given:
            self._given = DatabaseTime(reading.s, reading.db_now)

    def _own_leases_end(self) -> DatabaseTime | None:
        """When the leases that own streams may hold under older epochs are over; None if this hub gave none.

        A process may also hold a lease of the hub that it was with before. Whatever read that one rests on began before the process came
        here, so it is over a term after that: hence the newest registration counts like a lease.
        """
        if self._given is None:
            return None
        end = max(self._given.hub, self._last_opened) + self.term
        return DatabaseTime(end, self._given.at(end))

    # What time does

    async def _watch(self) -> None:
        """Every quarter of a term: no lease where there was no read, and no patience with readers that have stopped reading."""
        while True:
            await asyncio.sleep(self.renew)
            now = clock()
            for stream in self._open:
                if stream.cut_if_stalled(now):
                    log.warning("The stream of %s was cut off: its reader is too slow", stream.grant.label)
            if not self.database_answers:
                self._broadcast_nolease("the database does not answer")
            elif self.latest is not None:
                self._refuse_uncovered(self.latest.s)

    def _broadcast_nolease(self, why: str) -> None:
        nolease = wire.event("nolease", {"s": clock(), "why": why})
        for stream in self.streams.values():
            stream.offer_nolease(nolease)

    def _refuse_uncovered(self, s: float) -> None:
        nolease = wire.event("nolease", {"s": clock(), "why": "the database takes no writes"})
        for stream in self.streams.values():
            if stream.covered_until < s:
                stream.offer_nolease(nolease)

    async def _touch(self) -> None:
        while True:
            done = await self._touch_all() if self.streams and self.latest is not None else True
            await asyncio.sleep(TOUCH_EVERY if done else RETRY)

    async def _touch_all(self) -> bool:
        assert self.latest is not None  # noqa: S101 - the caller looked
        began = clock()
        streams = list(self.streams.values())
        until = DatabaseTime(self.latest.s, self.latest.db_now).at(began + LEASE_COVER + self.term)
        held = await self._ledger.touch([stream.grant.client_id for stream in streams], lease_until=until)
        if held is None:
            return False
        for stream in streams:
            if stream.grant.client_id in held:
                stream.covered_until = max(stream.covered_until, began + LEASE_COVER)
            else:
                stream.bye("replaced")
        return True
