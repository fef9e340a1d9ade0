"""The live parts of the pages: rendered once for everybody, when stale and while somebody has the page open."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from django.db import Error as DatabaseError

from opsconsole.live.clock import clock
from opsconsole.live.database import in_database
from opsconsole.live.feeds import LivePart, parts_of
from opsconsole.pool import WorkerPool

log = logging.getLogger(__name__)

# Seconds between two renderings of one part, at least.
URGENT_PAUSE = 0.1
PAUSE = 1.0
# A part may depend on the time as well, so it is looked at again after this long without any announcement. Seconds.
LOOK_AGAIN = 15.0


@dataclass(slots=True, eq=False)
class Slot:
    """One part and its newest rendering. `version` grows when the HTML differs from the one before; 0: none yet."""

    part: LivePart
    html: str = ""
    version: int = 0
    stale: bool = True
    failing: bool = False
    tried_at: float = float("-inf")

    def outdate(self) -> None:
        self.stale = True
        for shared in self.part.shared:
            shared.forget()

    def due(self) -> float:
        """When it is to be rendered next."""
        if not self.stale:
            return self.tried_at + LOOK_AGAIN
        return self.tried_at + (URGENT_PAUSE if self.part.urgent and not self.failing else PAUSE)


class OpenPage:
    """What one reader of a page has got so far. `wake` is called when there may be news for it."""

    __slots__ = ("_seen", "slots", "waits_for", "wake")

    def __init__(self, slots: tuple[Slot, ...], wake: Callable[[], None]) -> None:
        self.slots = slots
        self.wake = wake
        # What is not urgent comes together at first: it waits until every stale part has been tried.
        self.waits_for = {slot.part.target for slot in slots if slot.stale}
        self._seen: dict[str, int] = {}

    def news(self) -> list[Slot]:
        """The parts that differ from what this reader has; they count as read now."""
        ready = [slot for slot in self.slots if slot.part.urgent or not self.waits_for]
        new = [
            slot
            for slot in ready
            if slot.part.target not in self.waits_for and self._seen.get(slot.part.target, 0) != slot.version
        ]
        self._seen |= {slot.part.target: slot.version for slot in new}
        return new


class Board:
    """Runs on the event loop, all but the rendering. Urgent parts have a lane and a thread of their own, so that no slow part delays them."""

    def __init__(self) -> None:
        self._slots: dict[str, Slot] = {}
        self._pages: set[OpenPage] = set()
        self._changed = {True: asyncio.Event(), False: asyncio.Event()}
        self._pool = WorkerPool("render", threads=2, waiting=0)

    def lanes(self) -> tuple[Callable[[], Coroutine[Any, Any, None]], ...]:
        """Jobs that work until they are cancelled."""
        return (lambda: self._render_lane(urgent=True), lambda: self._render_lane(urgent=False))

    async def close(self) -> None:
        await self._pool.close(grace=0)

    def open_page(self, page: str, wake: Callable[[], None]) -> OpenPage:
        slots = tuple(self._slots.setdefault(part.target, Slot(part)) for part in parts_of(page))
        opened = OpenPage(slots, wake)
        self._pages.add(opened)
        self._wake_lanes()
        return opened

    def close_page(self, page: OpenPage) -> None:
        self._pages.discard(page)

    def on_topic(self, topic: str) -> None:
        for slot in self._slots.values():
            if topic in slot.part.topics:
                slot.outdate()
        self._wake_lanes()

    def on_everything(self) -> None:
        """Announcements may have been missed."""
        for slot in self._slots.values():
            slot.outdate()
        self._wake_lanes()

    def _wake_lanes(self) -> None:
        for changed in self._changed.values():
            changed.set()

    async def _render_lane(self, *, urgent: bool) -> None:
        changed = self._changed[urgent]
        while True:
            changed.clear()
            wanted = {slot.part.target: slot for page in self._pages for slot in page.slots}.values()
            slot = min((slot for slot in wanted if slot.part.urgent is urgent), key=Slot.due, default=None)
            left = None if slot is None else slot.due() - clock()
            if slot is not None and left is not None and left <= 0:
                await self._render(slot)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), left)

    async def _render(self, slot: Slot) -> None:
        # A change that is announced from here on makes it stale again.
        slot.stale, slot.tried_at = False, clock()
        try:
            html = await self._pool.submit(in_database(slot.part.render))
        except Exception as error:
            slot.stale = True
            self._note_failure(slot, error)
        else:
            slot.failing = False
            if html != slot.html or not slot.version:
                slot.html, slot.version = html, slot.version + 1
        for page in self._pages:
            if slot in page.slots:
                page.waits_for.discard(slot.part.target)
                page.wake()

    def _note_failure(self, slot: Slot, error: Exception) -> None:
        if slot.failing:
            return
        slot.failing = True
        # Without the database every part fails; the traceback would tell nothing.
        known = isinstance(error, DatabaseError)
        name = type(error).__name__
        log.warning("Rendering #%s failed: %s", slot.part.target, name, exc_info=None if known else error)
