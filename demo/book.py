"""What a trader knows of its money: value, profit of the day, Sharpe ratio, deepest fall. No I/O."""

import math
import statistics
from collections import deque
from dataclasses import dataclass, field

# USD that each trader begins with, and the share of it that one day may lose.
CAPITAL = 100_000.0
DAILY_LOSS_LIMIT = 0.05
SHARPE_DAYS = 30
TRADING_DAYS = 252


@dataclass(frozen=True, slots=True)
class Day:
    """A day's end. Money in USD; shares of a whole in percent; the Sharpe ratio is a year's, None before there are enough days."""

    value: float
    profit: float
    limit_used: float
    concentration: float
    drawdown: float
    sharpe: float | None


@dataclass(slots=True)
class Book:
    """Marked to each day's close. It begins with what the venue says of the account, so a trader that starts again goes on from there."""

    capital: float = CAPITAL
    _value: float | None = None
    _peak: float = 0.0
    _deepest: float = 0.0
    _returns: deque[float] = field(default_factory=lambda: deque(maxlen=SHARPE_DAYS))

    def close(self, *, profit: float, position: int, price: float) -> Day:
        """`profit`: of the account since it was opened, in USD, its position counted at `price`."""
        value = self.capital + profit
        before = value if self._value is None else self._value
        gain = value - before
        if self._value is not None:
            self._returns.append(gain / before)
        self._value = value
        self._peak = max(self._peak, value)
        self._deepest = max(self._deepest, (self._peak - value) / self._peak)
        return Day(
            value=value,
            profit=gain,
            limit_used=100 * max(0.0, -gain) / (DAILY_LOSS_LIMIT * before),
            concentration=100 * position * price / value,
            drawdown=100 * self._deepest,
            sharpe=self._sharpe(),
        )

    def _sharpe(self) -> float | None:
        if len(self._returns) < SHARPE_DAYS:
            return None
        spread = statistics.stdev(self._returns)
        return math.sqrt(TRADING_DAYS) * statistics.fmean(self._returns) / spread if spread else None


def slippage_bps(*, side: str, price: float, reference: float) -> float:
    """How much worse than `reference` a fill was, in basis points; negative: better."""
    worse = price - reference if side == "buy" else reference - price
    return 10_000 * worse / reference
