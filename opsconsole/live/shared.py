"""What several live parts show, read once for all of them."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Read = TypeVar("Read")

# Seconds for which what was read is shared: parts that one announcement makes stale are rendered within them.
SHARED = 0.5


class Shared(Generic[Read]):
    """`read` is called again when what it gave is older than SHARED, or than the newest announcement. Raises what it raises."""

    def __init__(self, read: Callable[[], Read]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._found: tuple[float, int, Read] | None = None
        self._announced = 0

    def forget(self) -> None:
        """Something was announced: what was read before it, or is being read, may be old. Never waits."""
        self._announced += 1

    def get(self) -> Read:
        with self._lock:
            announced = self._announced
            if (
                self._found is None
                or self._found[1] != announced
                or time.monotonic() - self._found[0] > SHARED
            ):
                found = self._read()
                self._found = (time.monotonic(), announced, found)
            return self._found[2]
