"""Everything that takes alerts to one console: the queue, its copy on the disk, and the threads. Fork-safe."""

import logging
import time
from pathlib import Path

from opsclient import clock
from opsclient.alerts.alert import Alert
from opsclient.alerts.choices import AlertDecision
from opsclient.alerts.direct import DirectWay
from opsclient.alerts.entry import Entry, Queue
from opsclient.alerts.result import AlertResult
from opsclient.alerts.sender import Sender
from opsclient.alerts.spool import Spool
from opsclient.alerts.tuning import Minimums, Tuner
from opsclient.transport import Endpoint
from opsclient.worker import Worker

logger = logging.getLogger("opsclient")

KNOWN_AWAY_S = 0.2


class Desk:
    """Takes alerts at any time, never waits, and delivers them in the order in which they came."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        client: str,
        direct: DirectWay,
        minimums: Minimums,
        folder: Path | None,
        folder_problem: str,
        most: int,
        most_bytes: int,
        direct_after_s: float,
    ) -> None:
        self._endpoint, self._client, self._direct, self._minimums = endpoint, client, direct, minimums
        self._folder, self._folder_problem = folder, folder_problem
        self._most, self._most_bytes = most, most_bytes
        self._direct_after_s = direct_after_s
        self._assemble()

    def _assemble(self) -> None:
        self.queue = Queue(most=self._most, most_bytes=self._most_bytes)
        owner = (self._client, self._endpoint.url)
        self.spool = Spool(self._folder, owner=owner, queue=self.queue, problem=self._folder_problem)
        self.sender = Sender(
            self._endpoint,
            queue=self.queue,
            client=self._client,
            before_parcel=self.spool.note_parcel,
            changed=self.spool.worker.wake,
            go_direct=self._go_direct,
        )
        self.spool.on_taken_over = self.sender.worker.wake
        self.tuner = Tuner(self._endpoint, self._minimums, client=self._client)
        for worker in self._workers():
            worker.start()

    def _workers(self) -> list[Worker]:
        return [self.sender.worker, self.spool.worker]

    @property
    def url(self) -> str:
        """The console's address."""
        return self._endpoint.url

    def take(self, alert: Alert) -> Entry:
        """Queue an alert; its future is answered when there is something to say."""
        entry = Entry(alert)
        for gone in self.queue.add(entry):
            self._no_room(gone)
        if entry.urgent:
            # Known to be away: the sender looks once more, and has little time for it.
            after = KNOWN_AWAY_S if self.sender.away else self._direct_after_s
            self._direct.offer(
                entry, self.sender.away or "the console has not answered in time", after_s=after
            )
            self.sender.hurry()
        elif self.sender.away:
            entry.answer(entry.waiting(self.sender.away))
        self.sender.worker.wake()
        self.spool.worker.wake()
        return entry

    def flush(self, timeout: float) -> bool:
        """Wait until the console has everything. False if it has not within `timeout` seconds."""
        until = clock.now() + timeout
        self.sender.hurry()
        while len(self.queue):
            if clock.now() >= until:
                return False
            time.sleep(0.005)
        return True

    def close(self, timeout: float) -> None:
        """Try to deliver what waits for at most about `timeout` seconds, and leave the rest in the spool."""
        until = clock.now() + timeout
        if len(self.queue) and not self.sender.away:
            self.flush(timeout)
        for worker in (*self._workers(), self.tuner.worker):
            worker.stop(max(0.05, until - clock.now()))
        self.spool.close()
        left = len(self.queue)
        if left and self.spool.folder is not None and not self.spool.problem:
            logger.warning("%d alerts wait in %s for the next start", left, self.spool.folder)
        elif left:
            logger.error("%d alerts are lost: the console was away, and there is no spool", left)

    def restart_in_child(self) -> None:
        """After a fork, in the child: a queue and a file of its own; what waits is the parent's."""
        wishes = self.tuner.pending
        self.sender.abandon()
        self.tuner.abandon()
        self.spool.abandon()
        self._assemble()
        for category, values in wishes:
            self.tuner.change(category, values)

    def _go_direct(self, entry: Entry) -> bool:
        """Whether its caller is answered by the direct way."""
        return self._direct.offer(entry, self.sender.away or "the console refused what it says")

    def _no_room(self, entry: Entry) -> None:
        logger.error("the spool is full; the alert %r is lost", entry.alert.title[:80])
        entry.kept = False
        reason = "the spool is full of what is more urgent or newer"
        entry.answer(AlertResult(AlertDecision.REFUSED, reason, entry.alert))
