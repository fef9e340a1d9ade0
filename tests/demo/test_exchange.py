"""The venue's rules: what is refused, what is filled at which price, and what an account holds afterwards."""

from dataclasses import replace

import pytest

from demo.exchange import Exchange, Fill, RejectedError
from demo.prices import Bar, load

DAY = Bar("IBM", "2008-06-02", open=100.0, high=104.0, low=97.0, close=102.0, volume=1)


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(("IBM", "MSFT"))


@pytest.mark.parametrize(
    ("ticker", "side", "quantity", "limit", "named"),
    [
        ("XYZ", "buy", 100, 1.0, "ticker"),
        ("IBM", "hold", 100, 1.0, "side"),
        ("IBM", "buy", 0, 1.0, "quantity"),
        ("IBM", "buy", 10_001, 1.0, "quantity"),
        ("IBM", "buy", 100, 0.0, "limit"),
        ("IBM", "buy", 100, float("nan"), "limit"),
    ],
)
def test_a_bad_order_is_rejected_by_the_field_s_name(
    exchange: Exchange, ticker: str, side: str, quantity: int, limit: float, named: str
) -> None:
    with pytest.raises(RejectedError, match=named):
        exchange.place(ticker, side, quantity, limit)
    assert exchange.open_orders("IBM") == []


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        ("buy", 98.0, 98.0),
        ("buy", 97.0, 97.0),
        ("buy", 101.0, 100.0),
        ("buy", 96.99, None),
        ("sell", 103.0, 103.0),
        ("sell", 104.0, 104.0),
        ("sell", 99.0, 100.0),
        ("sell", 104.01, None),
    ],
)
def test_a_day_fills_what_its_range_reaches(
    exchange: Exchange, side: str, limit: float, price: float | None
) -> None:
    order = exchange.place("IBM", side, 100, limit)
    fills = exchange.trade_day(DAY)
    assert [fill.price for fill in fills] == ([] if price is None else [price])
    assert exchange.open_orders("IBM") == ([order] if price is None else [])


def test_another_ticker_s_day_fills_nothing(exchange: Exchange) -> None:
    exchange.place("IBM", "buy", 100, 101.0)
    assert exchange.trade_day(replace(DAY, ticker="MSFT")) == []


def test_a_fill_moves_shares_and_money(exchange: Exchange) -> None:
    exchange.place("IBM", "buy", 100, 98.0)
    exchange.trade_day(DAY)
    account = exchange.accounts["IBM"]
    assert (account.position, account.cash, account.profit) == (100, -9800.0, 400.0)


def test_cancel_takes_back_one_or_all_of_one_trader(exchange: Exchange) -> None:
    first = exchange.place("IBM", "buy", 100, 90.0)
    exchange.place("IBM", "buy", 100, 91.0)
    other = exchange.place("MSFT", "buy", 100, 20.0)
    assert exchange.cancel("IBM", first.id) == 1
    assert exchange.cancel("IBM", first.id) == 0
    assert exchange.cancel("IBM", other.id) == 0
    assert exchange.cancel("IBM") == 1
    assert exchange.open_orders("MSFT") == [other]


def test_close_sells_the_whole_position_at_the_last_price(exchange: Exchange) -> None:
    exchange.place("IBM", "buy", 100, 98.0)
    exchange.trade_day(DAY)
    assert exchange.close("IBM") == Fill(None, "IBM", "sell", 100, 102.0)
    assert exchange.close("IBM") is None
    assert (exchange.accounts["IBM"].position, exchange.accounts["IBM"].profit) == (0, 400.0)


def test_the_seam_between_two_years_earns_nothing(exchange: Exchange) -> None:
    exchange.place("IBM", "buy", 100, 98.0)
    exchange.trade_day(DAY)
    exchange.end_year()
    exchange.trade_day(replace(DAY, open=500.0, high=500.0, low=500.0, close=500.0))
    assert exchange.accounts["IBM"].profit == 400.0


def test_the_tape_holds_four_tickers_with_the_same_days_in_order() -> None:
    tapes = load()
    assert sorted(tapes) == ["AAPL", "GOOG", "IBM", "MSFT"]
    dates = [bar.date for bar in tapes["IBM"]]
    assert dates == sorted(set(dates))
    assert len(dates) == 273
    assert all(
        bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in tapes["GOOG"]
    )
