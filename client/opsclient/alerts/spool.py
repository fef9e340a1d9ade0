"""Keeps what waits on the disk, in a thread of its own: neither a slow nor a full disk holds back an alert."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from opsclient.alerts.entry import Entry, Queue
from opsclient.alerts.lines import added, left_in, state
from opsclient.journal import Journal, line
from opsclient.worker import Worker

logger = logging.getLogger("opsclient")

SLACK_BYTES = 1024 * 1024  # how much of the file may be of no more use before it is written anew
AGAIN_S = 5.0


class Spool:
    """The queue's copy on the disk. Without a folder it does nothing, and `problem` says why."""

    def __init__(self, folder: Path | None, *, owner: tuple[str, str], queue: Queue, problem: str) -> None:
        self.folder, self.problem = folder, problem
        self._owner, self._queue = owner, queue
        self._journal = None if folder is None else Journal(folder, owner=owner)
        self._lock = threading.RLock()
        self._notes: list[dict[str, Any]] = []
        self._told_losses: dict[str, int] = {}
        self._took_over = False
        self.on_taken_over: Callable[[], None] = lambda: None
        self.worker = Worker("alerts-spool", self._step)

    def note_direct(self, entry: Entry) -> None:
        """Keep in mind that this one was sent directly."""
        self._notes.append({"direct": entry.key})
        self.worker.wake()

    def note_parcel(self, entries: Sequence[Entry]) -> None:
        """Before they travel together: after a crash they must travel together again, under the same key."""
        if self._journal is None or len(entries) == 1:
            return
        try:
            with self._lock:
                self._store_new()
                of = [entry.key for entry in entries]
                self._journal.append([line({"parcel": entries[0].parcel, "of": of})], sync=False)
        except OSError as error:
            self._failed(error)

    def close(self) -> None:
        """Leave on the disk what waits, for the next process of this name."""
        if self._journal is None:
            return
        self._safe_store()
        with self._lock:
            try:
                self._journal.close(remove=not len(self._queue) and not self._queue.losses())
            except OSError as error:
                self._failed(error)

    def abandon(self) -> None:
        """In a forked child: the file is the parent's."""
        if self._journal is not None:
            self._journal.abandon()

    def _step(self) -> float | None:
        if self._journal is None:
            return None
        return None if self._safe_store() else AGAIN_S

    def _safe_store(self) -> bool:
        try:
            with self._lock:
                self._take_over()
                self._store_new()
                self._store_changes()
        except OSError as error:
            self._failed(error)
            return False
        if self.problem:
            logger.info("the spool of alerts can be written again")
        self.problem = ""
        return True

    def _take_over(self) -> None:
        """Once, at the start: what a process of this name left when it ended."""
        if self._took_over or self._journal is None:
            return
        left = left_in(self._journal.take_over())
        if left.entries or left.lost:
            logger.warning("%d alerts of an earlier process are still to be delivered", len(left.entries))
            self._queue.put_first(left.entries)
            self._queue.add_losses(left.lost)
            self._rewrite()
        self._journal.discard_taken()
        self._took_over = True
        self.on_taken_over()

    def _store_new(self) -> None:
        assert self._journal is not None  # noqa: S101  # the callers have looked
        fresh = self._queue.take_fresh()
        if not fresh:
            return
        try:
            urgent = any(entry.urgent for entry in fresh)
            self._journal.append((line(added(entry)) for entry in fresh), sync=urgent)
        except OSError:
            self._queue.give_back(fresh)
            raise
        for entry in fresh:
            entry.stored = True

    def _store_changes(self) -> None:
        assert self._journal is not None  # noqa: S101  # the callers have looked
        notes, self._notes = self._notes, []
        over = self._queue.take_over()
        losses = self._queue.losses()
        if over:
            notes.append({"over": over})
        if losses != self._told_losses:
            notes.append({"lost": losses})
        if not len(self._queue) and not losses:
            self._journal.empty()
        elif self._journal.size > 2 * self._queue.bytes + SLACK_BYTES:
            self._rewrite()
        elif notes:
            self._journal.append(map(line, notes), sync=False)
        self._told_losses = losses

    def _rewrite(self) -> None:
        assert self._journal is not None  # noqa: S101  # the callers have looked
        entries = self._queue.entries()
        self._journal.rewrite(map(line, state(entries, self._queue.losses())))
        for entry in entries:
            entry.stored = True

    def _failed(self, error: OSError) -> None:
        text = error.strerror or type(error).__name__
        if text != self.problem:
            logger.error("the spool of alerts cannot be written (%s); they wait in memory alone", text)
        self.problem = text
