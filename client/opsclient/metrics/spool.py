"""The batches that wait for the console, oldest first, bounded, and their copy on the disk.

The lines of the file:

    {"add": id, "sealed": bool, "batch": {…}}   a batch waits
    {"sealed": [ids]}                           these are about to be sent for the first time
    {"over": [ids]}                             these need not wait any more
"""

import json
import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from opsclient.journal import Journal, line
from opsclient.metrics.batch import Batch, compact, read

logger = logging.getLogger("opsclient")

SLACK_BYTES = 1024 * 1024  # how much of the file may be of no more use before it is written anew
SEAL = 20  # batches that are prepared for sending with one write to the disk


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits, and since when (ISO 8601, UTC; empty if nothing does)."""

    batches: int
    bytes: int
    since: str


class Spool:
    """For the thread that adds and the one that sends. Without a folder, and while the disk fails, batches wait in memory alone.

    A batch is on the disk, for good, before it is sent. Once it may have been sent it keeps its id and its content: the
    console counts an id once. When there are too many, those that were never sent are merged (`compact`), so that no
    count is lost; of a gauge the newest value of the merged is kept, and the earlier ones are lost.
    """

    def __init__(
        self, folder: Path | None, *, owner: tuple[str, ...], problem: str, most: int, most_bytes: int
    ) -> None:
        self.folder, self.problem = folder, problem
        self._journal = None if folder is None else Journal(folder, owner=owner)
        self._most, self._most_bytes = most, most_bytes
        self._waiting: list[Batch] = []
        self._bytes = 0
        self._over: list[str] = []
        self._took_over = self._journal is None
        self._inherited = False
        # Whether the file has everything that waits.
        self._whole = True
        self._lock = threading.RLock()

    def add(self, batches: Sequence[Batch], *, at_once: bool) -> None:
        """Keep these; `at_once`: as far as is known they can be sent now, so they are not held ready for merging."""
        with self._lock:
            for batch in batches:
                batch.sealed = at_once and len(self._waiting) < SEAL
                self._waiting.append(batch)
                self._bytes += len(batch.body)
            self._keep_bounds()
            self._store([batch.line() for batch in batches])

    def next(self) -> Batch | None:
        """The oldest, which from now on stays as it is."""
        with self._lock:
            if self._waiting and not self._waiting[0].sealed:
                fresh = [batch for batch in self._waiting[:SEAL] if not batch.sealed]
                for batch in fresh:
                    batch.sealed = True
                self._store([line({"sealed": [batch.id for batch in fresh]})])
            return self._waiting[0] if self._waiting else None

    def remove(self, batch: Batch) -> None:
        """It need not wait any more. The file says so with the next write; until then it might be sent again, which changes nothing."""
        with self._lock:
            if batch in self._waiting:
                self._waiting.remove(batch)
                self._bytes -= len(batch.body)
                self._over.append(batch.id)

    def replace(self, batch: Batch, parts: Sequence[Batch]) -> None:
        """Let these wait in its place."""
        with self._lock:
            at = self._waiting.index(batch)
            self._waiting[at : at + 1] = parts
            self._over.append(batch.id)
            self._whole = False  # the order matters, and a file only grows at its end
            self._count_bytes()
            self._store([])

    def clear(self) -> int:
        """Give up all that waits. Returns how many batches that were."""
        with self._lock:
            number = len(self._waiting)
            self._over += [batch.id for batch in self._waiting]
            self._waiting, self._bytes = [], 0
            self._store([])
            return number

    def tidy(self) -> bool:
        """Bring the file up to date, and take over what a process that is gone has left. Whether there is nothing more to do."""
        with self._lock:
            if not self._took_over or not self._whole or self._over:
                self._store([])
            return self._took_over and self._whole

    @property
    def ready(self) -> bool:
        """Whether all that is to be sent is known: nothing of an earlier process is still to be found on a disk that works."""
        return self._took_over or bool(self.problem)

    def waits(self, generation: int) -> bool:
        """Whether something of this flush or an earlier one waits."""
        with self._lock:
            return any(batch.generation <= generation for batch in self._waiting)

    def waiting(self) -> Waiting:
        """What waits."""
        with self._lock:
            since = min((batch.sent_at for batch in self._waiting), default="")
            return Waiting(len(self._waiting), self._bytes, since)

    def close(self) -> None:
        """Leave what waits on the disk, for the next process of this name."""
        with self._lock:
            if self._journal is None:
                return
            self.tidy()
            try:
                self._journal.close(remove=not self._waiting)
            except OSError as error:
                self._failed(error)

    def abandon(self) -> None:
        """In a forked child: the file is the parent's. Takes no lock: another thread of the parent may have held it."""
        if self._journal is not None:
            self._journal.abandon()

    def _keep_bounds(self) -> None:
        if len(self._waiting) <= self._most and self._bytes <= self._most_bytes:
            return
        kept = [batch for batch in self._waiting if batch.sealed]
        loose = [batch for batch in self._waiting if not batch.sealed]
        # Half of the room, so that this is not done again for each batch that comes.
        fewer = compact(loose, most=self._most // 2, most_bytes=self._most_bytes // 2)
        logger.warning(
            "the spool of metrics is full: %d batches that wait are merged into %d", len(loose), len(fewer)
        )
        left = {batch.id for batch in fewer}
        self._over += [batch.id for batch in loose if batch.id not in left]
        self._waiting = kept + fewer
        self._count_bytes()
        self._whole = False

    def _count_bytes(self) -> None:
        self._bytes = sum(len(batch.body) for batch in self._waiting)

    def _store(self, lines: Iterable[bytes]) -> None:
        if self._journal is None:
            return
        try:
            self._write(self._journal, list(lines))
        except OSError as error:
            self._whole = False
            self._failed(error)
            return
        if self.problem:
            logger.info("the spool of metrics can be written again")
        self.problem = ""

    def _write(self, journal: Journal, lines: list[bytes]) -> None:
        if not self._took_over:
            self._take_over(journal)
        notes = [line({"over": self._over})] if self._over else []
        if not self._waiting:
            journal.empty()
        elif not self._whole or journal.size > 2 * self._bytes + SLACK_BYTES:
            # What is over may stand in an older file, which a kill would leave beside this one.
            journal.rewrite([*notes, *[batch.line() for batch in self._waiting]])
        elif lines or self._over:
            journal.append([*notes, *lines], sync=bool(lines))
        self._over, self._whole = [], True
        if self._inherited:
            journal.discard_taken()
            self._inherited = False

    def _take_over(self, journal: Journal) -> None:
        """Once, at the start: what a process of this name left when it ended."""
        texts = journal.take_over()
        left = sorted(left_in(texts), key=lambda batch: batch.sent_at)
        self._took_over, self._inherited = True, bool(texts)
        if left:
            logger.warning("%d batches of metrics of an earlier process are still to be sent", len(left))
            self._waiting[:0] = left
            self._whole = False
            self._keep_bounds()
            self._count_bytes()

    def _failed(self, error: OSError) -> None:
        text = error.strerror or type(error).__name__
        if text != self.problem:
            logger.error("the spool of metrics cannot be written (%s); they wait in memory alone", text)
        self.problem = text


def parse(text: bytes) -> list[Batch]:
    """What waits according to one file."""
    return left_in([text])


def left_in(texts: Iterable[bytes]) -> list[Batch]:
    """What waits according to these files, each batch once: what is over in one of them is over in all.

    Lines that were cut off by a crash, or that nobody wrote this way, are passed over.
    """
    batches: dict[str, Batch] = {}
    over: set[str] = set()
    for row in (row for text in texts for row in text.splitlines()):
        try:
            record = json.loads(row)
            if "add" in record:
                _keep(batches, read(record))
            else:
                for name in record.get("sealed", ()):
                    if name in batches:
                        batches[name].sealed = True
            over.update(record.get("over", ()))
        except (ValueError, TypeError, KeyError, AttributeError):
            logger.warning("a line of the spool cannot be read and is passed over")
    return [batch for batch in batches.values() if batch.id not in over]


def _keep(batches: dict[str, Batch], batch: Batch) -> None:
    """A batch that stands in two files keeps its seal."""
    known = batches.setdefault(batch.id, batch)
    known.sealed = known.sealed or batch.sealed
