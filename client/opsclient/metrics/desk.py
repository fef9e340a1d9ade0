"""Everything that takes metrics to one console: the tally, the spool, and the threads that flush and send. Fork-safe."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from opsclient import clock
from opsclient.metrics.batch import build
from opsclient.metrics.sender import Sender
from opsclient.metrics.spool import Spool
from opsclient.metrics.tally import Tally
from opsclient.transport import Endpoint
from opsclient.worker import Worker

logger = logging.getLogger("opsclient")

FLUSH_S = 1.0
HURRY_S = 0.05  # between two flushes, however many are asked for
NO_CONSOLE = "this process has no console; give console_url=, or set OPSCLIENT_URL and OPSCLIENT_TOKEN"


class Desk:
    """Flushes the tally each second, once there is a console; until then everything stays in the tally.

    `find_endpoint` is asked for the console until it knows one.
    """

    def __init__(
        self,
        find_endpoint: Callable[[], Endpoint | None],
        *,
        client: str,
        folder: Path | None,
        folder_problem: str,
        most: int,
        most_bytes: int,
    ) -> None:
        self._find_endpoint, self._client = find_endpoint, client
        self._folder, self._folder_problem = folder, folder_problem
        self._limits = (most, most_bytes)
        self._flush_s = FLUSH_S
        self._endpoint = find_endpoint()
        self._warned = False
        self._assemble()

    def _assemble(self) -> None:
        self.tally = Tally()
        self.spool: Spool | None = None
        self.sender: Sender | None = None
        self._collected = 0
        self._collecting = threading.RLock()
        self._hurried = False
        self._due = clock.now() + self._flush_s
        self._flushed = 0.0
        self._connect()
        self.worker = Worker("metrics-flush", self._step)
        self.worker.start()

    @property
    def url(self) -> str:
        """The console's address; empty while none is known."""
        return "" if self._endpoint is None else self._endpoint.url

    def hurry(self) -> None:
        """Flush now instead of within the second. Never waits, and does not make a console that is away be asked more often."""
        self._hurried = True
        self.worker.wake()

    def hurry_all(self) -> None:
        """Somebody waits: flush now, and look at once whether the console is there again."""
        self.hurry()
        if self.sender is not None:
            self.sender.hurry()

    def mark(self) -> int:
        """The flush that will take what has been recorded so far."""
        with self.tally.lock:
            return self.tally.generation if self.tally.pending else self.tally.generation - 1

    def has(self, mark: int) -> bool:
        """Whether the console has everything up to this flush, and what an earlier process left."""
        if self.spool is None:
            return mark <= 0
        return self._collected >= mark and self.spool.ready and not self.spool.waits(mark)

    def collect(self) -> None:
        """Take what was recorded into the spool, and have it sent."""
        with self._collecting:
            if self.spool is None or self.sender is None:
                return
            generation, pending = self.tally.take()
            if pending:
                at = clock.utc_text()
                batches = build(pending, client=self._client, sent_at=at, generation=generation)
                self.spool.add(batches, at_once=not self.sender.away)
            else:
                self.spool.tidy()
            self._collected = generation
            self.sender.worker.wake()  # also for what an earlier process has left

    def close(self, until: float) -> None:
        """Deliver what there is until this time of the clock, if the console is not known to be away; leave the rest in the spool."""
        self.worker.stop(max(0.05, until - clock.now()))
        self.collect()
        if self.spool is None or self.sender is None:
            if self.tally.pending:
                logger.error("the metrics of this process are lost: %s", NO_CONSOLE)
            return
        mark = self.mark()
        while not self.sender.away and not self.has(mark) and clock.now() < until:
            time.sleep(0.005)
        self.sender.worker.stop(max(0.05, until - clock.now()))
        self.spool.close()
        self._say_left(self.spool)

    def restart_in_child(self) -> None:
        """After a fork, in the child: a tally and a file of its own; what is not sent is the parent's."""
        if self.sender is not None:
            self.sender.abandon()
        if self.spool is not None:
            self.spool.abandon()
        self._assemble()

    def _step(self) -> float | None:
        if self._endpoint is None and not self._find():
            return 1.0
        now = clock.now()
        due = min(self._due, self._flushed + HURRY_S) if self._hurried else self._due
        if now < due:
            return due - now
        self._hurried = False
        self._flushed, self._due = now, now + self._flush_s
        self.collect()
        return self._flush_s

    def _find(self) -> bool:
        self._endpoint = self._find_endpoint()
        if self._endpoint is not None:
            self._connect()
            return True
        if not self._warned and self.tally.pending:
            self._warned = True
            logger.error("metrics do not reach a console: %s", NO_CONSOLE)
        return False

    def _connect(self) -> None:
        if self._endpoint is None:
            return
        most, most_bytes = self._limits
        owner = (f"metrics-{self._client}", self._endpoint.url)
        self.spool = Spool(
            self._folder, owner=owner, problem=self._folder_problem, most=most, most_bytes=most_bytes
        )
        self.sender = Sender(self._endpoint, self.spool)
        self.sender.worker.start()

    def _say_left(self, spool: Spool) -> None:
        left = spool.waiting().batches
        if left and spool.folder is not None and not spool.problem:
            logger.warning("%d batches of metrics wait in %s for the next start", left, spool.folder)
        elif left:
            logger.error("%d batches of metrics are lost: the console was away, and there is no spool", left)
