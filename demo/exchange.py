"""The venue's rules, without any I/O: resting limit orders, filled against each day's open, high, low and
close.
"""

from dataclasses import dataclass, field

from demo.prices import Bar
from demo.strategy import Side


class RejectedError(Exception):
    """The venue does not take an order. The text names the field and what is allowed."""


@dataclass(frozen=True, slots=True)
class Order:
    """Rests until it is filled or cancelled. Quantity in shares, limit in USD a share."""

    id: int
    ticker: str
    side: Side
    quantity: int
    limit: float


@dataclass(frozen=True, slots=True)
class Fill:
    """What was traded, in shares and USD a share. `order` is None when a position was closed at the market."""

    order: int | None
    ticker: str
    side: Side
    quantity: int
    price: float


@dataclass(slots=True)
class Account:
    """One trader's holdings: shares and USD. `profit` counts the position at the last price."""

    position: int = 0
    cash: float = 0.0
    last: float = 0.0

    @property
    def profit(self) -> float:
        return self.cash + self.position * self.last

    def book(self, fill: Fill) -> None:
        shares = fill.quantity if fill.side == "buy" else -fill.quantity
        self.position += shares
        self.cash -= shares * fill.price


@dataclass(slots=True)
class Exchange:
    """The market of one ticker each for a number of traders."""

    tickers: tuple[str, ...]
    accounts: dict[str, Account] = field(init=False)
    _orders: dict[int, Order] = field(default_factory=dict)
    _last_id: int = 0

    def __post_init__(self) -> None:
        self.accounts = {ticker: Account() for ticker in self.tickers}

    def open_orders(self, ticker: str) -> list[Order]:
        return [order for order in self._orders.values() if order.ticker == ticker]

    def place(self, ticker: str, side: str, quantity: int, limit: float) -> Order:
        """Rest a limit order. Raises RejectedError."""
        if ticker not in self.accounts:
            raise RejectedError(f"ticker must be one of {', '.join(self.tickers)}")
        if side not in {"buy", "sell"}:
            raise RejectedError("side must be buy or sell")
        if not 0 < quantity <= 10_000:
            raise RejectedError("quantity must lie between 1 and 10000 shares")
        if not limit > 0:
            raise RejectedError("limit must be a price above 0")
        self._last_id += 1
        order = Order(self._last_id, ticker, "buy" if side == "buy" else "sell", quantity, limit)
        self._orders[order.id] = order
        return order

    def cancel(self, ticker: str, order_id: int | None = None) -> int:
        """Take back one order, or all of a trader; an order that is gone already is none. Returns how many."""
        gone = [order.id for order in self.open_orders(ticker) if order_id in (None, order.id)]
        for number in gone:
            del self._orders[number]
        return len(gone)

    def close(self, ticker: str) -> Fill | None:
        """Sell or buy back a trader's whole position at the last price."""
        account = self.accounts[ticker]
        if not account.position:
            return None
        side: Side = "sell" if account.position > 0 else "buy"
        fill = Fill(None, ticker, side, abs(account.position), account.last)
        account.book(fill)
        return fill

    def trade_day(self, bar: Bar) -> list[Fill]:
        """Play one day of one ticker: fill what its range reaches. An order beyond the open trades at the
        open, as it would have.
        """
        fills = []
        for order in self.open_orders(bar.ticker):
            price = _price(order, bar)
            if price is not None:
                del self._orders[order.id]
                fills.append(Fill(order.id, order.ticker, order.side, order.quantity, price))
        account = self.accounts[bar.ticker]
        for fill in fills:
            account.book(fill)
        account.last = bar.close
        return fills

    def end_year(self) -> None:
        """The tape starts again: orders expire and positions are settled at the last close, so that no profit
        comes from the seam.
        """
        for ticker in self.tickers:
            self.cancel(ticker)
            self.close(ticker)


def _price(order: Order, bar: Bar) -> float | None:
    if order.side == "buy":
        return min(order.limit, bar.open) if bar.low <= order.limit else None
    return max(order.limit, bar.open) if bar.high >= order.limit else None
