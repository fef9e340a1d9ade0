"""The calls that the rates are taken of. Pure: every time is an argument.

A success costs the caller one tick of a counter and nothing else. So the windows keep what went wrong, and how far the counter of
successes had come, and work the rest out when something goes wrong again.
"""

import math
from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from opsclient.breaker.choices import WindowType
from opsclient.breaker.config import CircuitConfig

PAGES = 20  # of a window of time: it begins a new one each twentieth


class Ticks:
    """A number that any thread may add to without a lock: `next(ticks.source)` is one step of the interpreter."""

    __slots__ = ("source",)

    def __init__(self) -> None:
        self.source = count()

    @property
    def value(self) -> int:
        """How often it has ticked."""
        return int(repr(self.source)[6:-1])  # "count(5)": the one way to look at it without a tick


@dataclass(frozen=True, slots=True)
class Rates:
    """What a window holds: how many calls, and how many of them failed, and were slow."""

    calls: int
    failures: int
    slow: int

    def percent(self, number: int, least: int) -> float | None:
        """The share of `number` in percent; None below `least` calls."""
        return 100 * number / self.calls if self.calls >= max(1, least) else None


class Window(Protocol):
    """Either kind. `turn_at`: when a success may no longer pass it by; `turn` must be called first."""

    turn_at: float

    def add(self, now: float, *, failed: bool, slow: bool) -> None:
        """A call has failed, or was slow, or both. One that was slow alone has ticked already."""

    def pass_over(self) -> None:
        """The counter has ticked for a call that is not of this window."""

    def turn(self, now: float) -> None:
        """Begin a new page if it is time."""

    def rates(self, now: float) -> Rates:
        """Of the calls in it."""


class CountWindow:
    """The last `size` calls. Each has a number; those that were bad are kept by theirs."""

    turn_at = math.inf

    def __init__(self, size: int, successes: Ticks) -> None:
        self.size = size
        self._successes = successes
        self._base = successes.value
        self._bad = 0  # failures so far: each is a call that has not ticked
        self._first = 0  # calls up to this number were forgotten when the window was smaller
        self._failures: deque[int] = deque()
        self._slow: deque[int] = deque()

    def add(self, now: float, *, failed: bool, slow: bool) -> None:
        self._bad += failed
        number = self._number
        if failed:
            self._failures.append(number)
        if slow:
            self._slow.append(number)
        self._forget(number)

    def pass_over(self) -> None:
        self._base += 1

    def turn(self, now: float) -> None:
        pass

    def resize(self, size: int) -> None:
        """The window has another size from now on; a larger one fills up again."""
        number = self._number
        self._forget(number)
        self._first = max(self._first, number - self.size)
        self.size = size
        self._forget(number)

    def rates(self, now: float) -> Rates:
        number = self._number
        self._forget(number)
        return Rates(min(number - self._first, self.size), len(self._failures), len(self._slow))

    @property
    def _number(self) -> int:
        return self._successes.value - self._base + self._bad

    def _forget(self, number: int) -> None:
        for numbers in (self._failures, self._slow):
            while numbers and numbers[0] <= number - self.size:
                numbers.popleft()


@dataclass(slots=True)
class _Page:
    index: int
    base: int  # the counter of successes when it began
    failures: int = 0
    slow: int = 0


class TimeWindow:
    """The last `size` seconds, in twentieths: the current one, which has only begun, and the 19 before it."""

    def __init__(self, size: float, successes: Ticks, now: float) -> None:
        self.size = size
        self._successes = successes
        self._began = now
        self._width = size / PAGES
        self._pages = deque([_Page(0, successes.value)])
        self.turn_at = now + self._width

    def add(self, now: float, *, failed: bool, slow: bool) -> None:
        page = self._pages[-1]
        page.failures += failed
        page.slow += slow

    def pass_over(self) -> None:
        for page in self._pages:
            page.base += 1

    def turn(self, now: float) -> None:
        if now < self.turn_at:
            return
        index = max(self._pages[-1].index + 1, int((now - self._began) / self._width))
        self._pages.append(_Page(index, self._successes.value))
        self.turn_at = self._began + (index + 1) * self._width
        while self._pages[0].index <= index - PAGES:
            self._pages.popleft()

    def rates(self, now: float) -> Rates:
        self.turn(now)
        failures = sum(page.failures for page in self._pages)
        slow = sum(page.slow for page in self._pages)
        return Rates(self._successes.value - self._pages[0].base + failures, failures, slow)


def window_for(config: CircuitConfig, successes: Ticks, now: float) -> CountWindow | TimeWindow:
    """An empty window, as the settings say."""
    if config.window_type == WindowType.COUNT:
        return CountWindow(config.window_size, successes)
    return TimeWindow(config.window_size, successes, now)
