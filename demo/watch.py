"""What a trader tells people about its market: a change of the strategy's side, and when the market moves too much. No I/O."""

import math
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import stdev

from demo.strategy import Side

TRADING_DAYS = 252


@dataclass(frozen=True, slots=True)
class Signal:
    """The strategy has changed sides. Prices in USD a share; confidence 0 to 1, by the distance from the average."""

    side: Side
    confidence: float
    close: float
    average: float


@dataclass(frozen=True, slots=True)
class Volatility:
    """How much the closes of the last days moved, as a share a year. `over` tells when it rose over the limit, and when it is calm again."""

    yearly: float
    over: bool


@dataclass(slots=True)
class Watch:
    """Looks at one close a day. What was told is told again only after it has ended."""

    days: int = 20
    limit: float = 0.80
    calm: float = 0.60
    window: int = 5
    sure: float = 0.5
    _closes: deque[float] = field(default_factory=deque)
    _side: Side | None = None
    _over: bool = False

    def forget(self) -> None:
        """A new year starts. What was told stays told, until it ends."""
        self._closes.clear()
        self._side = None

    def close(self, price: float) -> None:
        """Take in a day's close, USD a share."""
        self._closes.append(price)
        if len(self._closes) > self.days + 1:
            self._closes.popleft()

    def signal(self) -> Signal | None:
        """The strategy's new side, if it has changed with the latest close, by enough to be sure."""
        if len(self._closes) < self.window:
            return None
        closes = list(self._closes)[-self.window :]
        close, average = closes[-1], sum(closes) / self.window
        side: Side = "buy" if close > average else "sell"
        before, self._side = self._side, side
        if before in (None, side):
            return None
        confidence = round(min(1.0, abs(close / average - 1) * 20), 2)
        return Signal(side, confidence, close, round(average, 2)) if confidence >= self.sure else None

    def yearly(self) -> float | None:
        """The volatility of the last days as a share a year; None before there are enough."""
        if len(self._closes) <= self.days:
            return None
        moves = [math.log(after / before) for before, after in pairwise(self._closes)]
        return stdev(moves) * math.sqrt(TRADING_DAYS)

    def volatility(self) -> Volatility | None:
        """The volatility, if it has just risen over the limit or fallen back."""
        yearly = self.yearly()
        if yearly is None:
            return None
        over = yearly > (self.calm if self._over else self.limit)
        before, self._over = self._over, over
        return None if over == before else Volatility(round(yearly, 3), over)
