"""What a demo trader knows of its money, on figures made up for the purpose and on the crash of 2008."""

import math
import statistics
from itertools import pairwise

import pytest

from demo.book import CAPITAL, DAILY_LOSS_LIMIT, SHARPE_DAYS, Book, Day, slippage_bps
from demo.exchange import Exchange
from demo.prices import load
from demo.strategy import Momentum


def test_the_first_day_has_no_profit_of_its_own() -> None:
    day = Book(capital=1000).close(profit=-100, position=2, price=90)
    assert day == Day(value=900, profit=0, limit_used=0, concentration=20, drawdown=0, sharpe=None)


def test_a_loss_is_measured_against_its_limit_and_the_peak() -> None:
    book = Book(capital=1000)
    book.close(profit=0, position=0, price=1)
    fell = book.close(profit=-25, position=0, price=1)
    assert (fell.profit, fell.drawdown) == (-25, 2.5)
    assert fell.limit_used == pytest.approx(100 * 25 / (DAILY_LOSS_LIMIT * 1000))
    rose = book.close(profit=75, position=0, price=1)
    assert (rose.profit, rose.limit_used, rose.drawdown) == (100, 0, 2.5)


def test_the_sharpe_ratio_takes_thirty_returns() -> None:
    book, values = Book(capital=1000), [0.0]
    days = [book.close(profit=0, position=0, price=1)]
    for number in range(SHARPE_DAYS):
        values.append(values[-1] + (3 if number % 2 else -1))
        days.append(book.close(profit=values[-1], position=0, price=1))
    assert days[-2].sharpe is None
    returns = [(after - before) / (1000 + before) for before, after in pairwise(values)]
    assert days[-1].sharpe == pytest.approx(
        math.sqrt(252) * statistics.fmean(returns) / statistics.stdev(returns)
    )


def test_a_market_that_does_not_move_has_no_ratio() -> None:
    book = Book()
    days = [book.close(profit=0, position=0, price=1) for _ in range(SHARPE_DAYS + 2)]
    assert days[-1].sharpe is None


@pytest.mark.parametrize(
    ("side", "price", "bps"), [("buy", 101, 100), ("buy", 99, -100), ("sell", 99, 100), ("sell", 101, -100)]
)
def test_slippage_is_positive_where_it_is_worse(side: str, price: float, bps: float) -> None:
    assert slippage_bps(side=side, price=price, reference=100) == pytest.approx(bps)


def test_only_the_crash_passes_the_daily_loss_limit() -> None:
    """Nothing is staged: the strategy holds what it holds when Congress rejects the bail-out. The next worst day costs 4.1 %."""
    losses = daily_losses()
    day = max(losses, key=lambda date: losses[date])
    assert day == "2008-09-29"
    assert losses[day] == pytest.approx(0.0721, abs=0.0001)
    assert [date for date, loss in losses.items() if loss >= DAILY_LOSS_LIMIT] == [day]
    assert CAPITAL == 100_000


def daily_losses() -> dict[str, float]:
    """By date: what all four lost, as a share of their value at the day's end. Played as the venue plays it, with all orders in time."""
    tapes = load()
    exchange = Exchange(tuple(tapes))
    strategies, books = {t: Momentum() for t in tapes}, {t: Book() for t in tapes}
    losses: dict[str, float] = {}
    for bars in zip(*tapes.values(), strict=True):
        days = []
        for bar in bars:
            exchange.trade_day(bar)
            held = exchange.accounts[bar.ticker]
            days.append(books[bar.ticker].close(profit=held.profit, position=held.position, price=bar.close))
            exchange.cancel(bar.ticker)
            for quote in strategies[bar.ticker].decide(bar.close, held.position):
                exchange.place(bar.ticker, quote.side, quote.quantity, quote.limit)
        losses[bars[0].date] = -sum(day.profit for day in days) / sum(day.value for day in days)
    return losses
