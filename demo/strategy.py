"""A plain momentum strategy: hold shares while the price is above its own average, none otherwise. No I/O."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

Side = Literal["buy", "sell"]


@dataclass(frozen=True, slots=True)
class Quote:
    """A limit order to rest at the venue. Quantity in shares, limit in USD a share."""

    side: Side
    quantity: int
    limit: float


@dataclass(slots=True)
class Momentum:
    """Builds up and takes down its position in lots, each one step further from the last close."""

    window: int = 5
    lots: int = 3
    lot: int = 100
    step: float = 0.003
    take_profit: float = 0.03
    _closes: deque[float] = field(default_factory=deque)

    def forget(self) -> None:
        """A new year starts: what was learnt from the old prices does not carry over."""
        self._closes.clear()

    def decide(self, close: float, position: int) -> list[Quote]:
        """The orders to rest until the next close, given today's `close` and the shares held. Empty while it
        warms up.
        """
        self._closes.append(close)
        if len(self._closes) > self.window:
            self._closes.popleft()
        if len(self._closes) < self.window:
            return []
        held = position // self.lot
        if close <= sum(self._closes) / self.window:
            return [self._quote("sell", close * (1 + self.step * n)) for n in range(held)]
        buys = [self._quote("buy", close * (1 - self.step * n)) for n in range(self.lots - held)]
        return buys + [
            self._quote("sell", close * (1 + self.take_profit + self.step * n)) for n in range(held)
        ]

    def _quote(self, side: Side, limit: float) -> Quote:
        return Quote(side, self.lot, round(limit, 2))
