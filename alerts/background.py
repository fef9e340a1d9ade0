"""Work that goes on in a thread of this process after whoever asked for it has been answered."""

import logging
import threading
from collections.abc import Callable

from django.db import connections

log = logging.getLogger(__name__)


class Background:
    """One thread, which ends when nothing is left. What it misses (no database, a kill) the tick finds (`alerts.tasks`)."""

    def __init__(self, name: str, work: Callable[[], object]) -> None:
        self._name = name
        self._work = work
        self._lock = threading.Lock()
        self._running = False
        self._again = False

    def wake(self) -> None:
        """Have the work done soon, once more if it is under way. Returns at once."""
        with self._lock:
            self._again = True
            if self._running:
                return
            self._running = True
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        try:
            while self._take():
                self._work()
        except Exception:
            log.exception("%s could not be done yet", self._name)
            with self._lock:
                self._running = False
        finally:
            connections.close_all()

    def _take(self) -> bool:
        """Whether somebody has called since the last look. If not, this thread is over: the next call starts another."""
        with self._lock:
            wanted, self._again = self._again, False
            self._running = wanted
        return wanted
