"""Ties this process' circuit breakers to the console: its settings and holds take effect here, what happens here is told there.

All of it happens in threads of its own. A guarded call puts a transition into a queue, and waits for nothing.
"""

import gc
import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any
from weakref import WeakValueDictionary

from opsclient import clock
from opsclient.breaker.door import Door
from opsclient.breaker.keeper import Keeper
from opsclient.breaker.probes import Prober
from opsclient.breaker.reporter import Reporter
from opsclient.breaker.steering import apply
from opsclient.breaker.transition import Transition
from opsclient.breaker.wire import Book, OfHub, Row
from opsclient.errors import ConfigurationError, ProtocolError
from opsclient.lease import LeaseAnchor
from opsclient.snapshot import number
from opsclient.worker import Worker

logger = logging.getLogger("opsclient")


@dataclass(frozen=True, slots=True)
class _Word:
    """What the console has said, in an event or an answer, not yet read. Without an anchor its times count from `at`."""

    said: str | Mapping[str, Any]
    at: float
    anchor: LeaseAnchor | None = None

    def read(self) -> tuple[Mapping[str, Any], OfHub]:
        """The data, and how its times are to be understood. Raises ValueError."""
        data = json.loads(self.said) if isinstance(self.said, str) else self.said
        if not isinstance(data, Mapping):
            raise ProtocolError("the data must be an object")
        at = self.at
        if self.anchor is not None and data.get("s") is not None:
            # As for leases: by our clock it was so late at the earliest, and that ends a hold early rather than late.
            at = min(at, self.anchor.c0 + number(data, "s") - self.anchor.s0)
        return data, lambda left: at + left


class Link:
    """One process and one console. Its threads start with the first breaker, or with the first word of the console."""

    def __init__(self, endpoint: Door, *, name: str, instance: str) -> None:
        self.endpoint = endpoint
        self._book = Book()
        # A breaker that nobody can call any more has nothing to say.
        self._keepers: WeakValueDictionary[str, Keeper] = WeakValueDictionary()
        self._applied: dict[str, int] = {}
        self._assemble(name, instance)

    def _assemble(self, name: str, instance: str) -> None:
        self.identity = {"name": name, "instance": instance}
        self.closed = False
        self._words: SimpleQueue[_Word] = SimpleQueue()
        self._prober = Prober(self.endpoint, self.identity)
        self.reporter = Reporter(
            self.endpoint,
            self.identity,
            standing=self._standing,
            applied=self._version,
            on_changes=self._tell,
        )
        self.worker = Worker("breakers-apply", self._step)

    def attach(self, keeper: Keeper) -> None:
        """Steer this breaker and report it from now on. Raises ConfigurationError if the process has another of its name."""
        if self._is_taken(keeper):
            gc.collect()  # by one that nobody can reach any more, perhaps
        if self._is_taken(keeper):
            raise ConfigurationError(
                f"name {keeper.name!r} is that of another breaker of this process, made by another manager"
            )
        self._keepers[keeper.name] = keeper
        keeper.attach(self)
        self._catch_up(keeper)
        self.worker.start()
        self.reporter.worker.start()
        self.reporter.hurry()

    def _catch_up(self, keeper: Keeper) -> None:
        """Put in force what the console has said already. Again, if its thread has applied a newer word meanwhile: that is to be the last."""
        done: Row | None = None
        while (row := self._book.rows.get(keeper.name)) is not done and row is not None:
            apply(keeper, row, reset=False)
            self._applied[keeper.name] = row.version
            done = row

    def _is_taken(self, keeper: Keeper) -> bool:
        return self._keepers.get(keeper.name) not in (None, keeper)

    def become(self, *, name: str, instance: str) -> None:
        """Go on as this process of the console's, which follows its stream."""
        self.identity.update(name=name, instance=instance)
        self.reporter.begin_anew()

    def hear(self, text: str, anchor: LeaseAnchor, received: float) -> None:
        """The stream's event. Only put aside here: whatever it says must not hold up, or end, the kill switch's stream."""
        self._words.put(_Word(text, received, anchor))
        self.worker.start()
        self.worker.wake()

    # As the breakers' Sink

    def note(self, transition: Transition) -> None:
        self.reporter.add(transition)

    def ask(self, breaker: Keeper, generation: int) -> None:
        self._prober.ask(breaker, generation)

    # Ends

    def close(self, timeout: float) -> None:
        """Send what waits, for at most about `timeout` seconds. The breakers go on by themselves; what is held stays so until its time is over."""
        if self.closed:
            return
        self.closed = True
        for keeper in list(self._keepers.values()):
            keeper.attach(None)
        until = clock.now() + timeout
        for worker in (self.worker, self._prober.worker, self.reporter.worker):
            worker.stop(max(0.05, until - clock.now()))

    def restart_in_child(self, instance: str) -> None:
        """After a fork, in the child: another process, which has the same breakers and tells of its own transitions alone."""
        self._prober.abandon()
        self.reporter.abandon()
        runs = bool(self._keepers)
        self._assemble(self.identity["name"], instance)
        if runs:
            self.worker.start()
            self.reporter.worker.start()

    # In the thread

    def _step(self) -> float | None:
        while True:
            try:
                word = self._words.get_nowait()
            except Empty:
                return self._expire()
            try:
                self._take(*word.read())
            except (ProtocolError, ValueError) as error:
                logger.error("the console's word on circuit breakers cannot be read: %s", error)

    def _take(self, data: Mapping[str, Any], until: OfHub) -> None:
        for news in self._book.take(data, until):
            keeper = self._keepers.get(news.row.name)
            if keeper is not None:
                apply(keeper, news.row, reset=news.reset)
                self._applied[news.row.name] = news.row.version
        self.reporter.hurry()

    def _expire(self) -> float | None:
        """End the holds whose time is over; the seconds until the next one, None if there is none."""
        left = [
            max(0.0, hold.until - keeper.clock())
            for keeper in list(self._keepers.values())
            if (hold := keeper.expire()) is not None
        ]
        soonest = min(left, default=None)
        return None if soonest is None or soonest == math.inf else soonest

    def _tell(self, changes: Mapping[str, Any] | None, at: float) -> None:
        """What the answer to a report says, None for nothing at all; `at`: when the report was sent."""
        if changes is None:
            self._book.begin()
        else:
            self._words.put(_Word(changes, at))
            self.worker.wake()

    def _version(self) -> int:
        return self._book.version

    def _standing(self) -> list[dict[str, Any]]:
        return [
            {**keeper.report(), "applied": self._applied.get(name, 0)}
            for name, keeper in list(self._keepers.items())
        ]
