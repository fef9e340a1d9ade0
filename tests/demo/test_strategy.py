"""The momentum strategy, on prices made up for the purpose."""

from demo.strategy import Momentum, Quote


def warmed(closes: list[float], position: int = 0) -> list[Quote]:
    strategy = Momentum(window=3, lots=2, lot=100, step=0.01, take_profit=0.05)
    quotes: list[Quote] = []
    for close in closes:
        quotes = strategy.decide(close, position)
    return quotes


def test_warming_up_it_orders_nothing() -> None:
    assert warmed([100, 101]) == []


def test_rising_it_buys_the_missing_lots_below_the_close() -> None:
    assert warmed([98, 99, 100]) == [Quote("buy", 100, 100.0), Quote("buy", 100, 99.0)]


def test_rising_with_a_lot_held_it_also_rests_an_order_to_take_the_profit() -> None:
    assert warmed([98, 99, 100], position=100) == [Quote("buy", 100, 100.0), Quote("sell", 100, 105.0)]


def test_falling_it_sells_what_it_holds_and_buys_nothing() -> None:
    assert warmed([102, 101, 100], position=200) == [Quote("sell", 100, 100.0), Quote("sell", 100, 101.0)]
    assert warmed([102, 101, 100]) == []


def test_a_new_year_starts_from_nothing() -> None:
    strategy = Momentum(window=2)
    strategy.decide(100, 0)
    strategy.forget()
    assert strategy.decide(200, 0) == []
