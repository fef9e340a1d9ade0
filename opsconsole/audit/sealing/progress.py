"""How far a long command has come: a bar on a terminal, else a line now and then."""

from collections.abc import Callable
from time import monotonic
from typing import Protocol

WIDTH = 40
# Seconds between two lines where there is no terminal, and between two pictures of the bar.
LINE_EVERY, BAR_EVERY = 10.0, 0.1
_CLEAR = "\r\x1b[K"


class Stream(Protocol):
    """Of a Django command."""

    def write(self, msg: str = "", *, ending: str | None = None) -> None: ...
    def flush(self) -> None: ...
    def isatty(self) -> bool: ...


class Bar:
    """`clock`: in seconds."""

    def __init__(self, stream: Stream, clock: Callable[[], float] = monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._is_terminal = stream.isatty()
        self._next = clock() + (0.0 if self._is_terminal else LINE_EVERY)
        self._is_drawn = False

    def show(self, done: int, total: int) -> None:
        if self._clock() < self._next:
            return
        self._next = self._clock() + (BAR_EVERY if self._is_terminal else LINE_EVERY)
        share = min(1.0, done / total) if total else 1.0
        words = f"{share:4.0%}  {done:,} of {total:,}"
        if self._is_terminal:
            full = int(WIDTH * share)
            self._stream.write(f"{_CLEAR}[{'#' * full}{'.' * (WIDTH - full)}] {words}", ending="")
            self._stream.flush()
            self._is_drawn = True
        else:
            self._stream.write(words)

    def clear(self) -> None:
        """Make room for a line of something else."""
        if self._is_drawn:
            self._stream.write(_CLEAR, ending="")
            self._stream.flush()
            self._is_drawn = False
