"""What a demo trader tells of its market, on prices made up for the purpose and on those of 2008."""

import pytest

from demo.prices import load
from demo.watch import Signal, Volatility, Watch


def watched(watch: Watch, closes: list[float]) -> list[Signal | Volatility]:
    told: list[Signal | Volatility] = []
    for close in closes:
        watch.close(close)
        told += [word for word in (watch.signal(), watch.volatility()) if word is not None]
    return told


def test_it_says_nothing_of_a_market_that_goes_one_way() -> None:
    assert watched(Watch(), [100 * 1.001**day for day in range(60)]) == []


def test_a_change_of_sides_is_told_once() -> None:
    (signal,) = watched(Watch(window=3), [100, 101, 102, 103, 97, 96, 95])
    assert signal == Signal("sell", 0.73, 97, 100.67)


def test_a_change_of_sides_by_little_is_not_told() -> None:
    assert watched(Watch(window=3), [100, 101, 102, 103, 101, 100, 99]) == []


def test_volatility_is_told_when_it_rises_over_the_limit_and_when_it_is_calm_again() -> None:
    wild = [100 * (1.1 if day % 2 else 1.0) for day in range(30)]
    told = [
        word for word in watched(Watch(), [100.0] * 25 + wild + [100.0] * 25) if isinstance(word, Volatility)
    ]
    assert [word.over for word in told] == [True, False]
    assert told[0].yearly > 0.80
    assert told[1].yearly <= 0.60


def test_what_was_told_stays_told_over_a_new_year() -> None:
    watch = Watch()
    wild = [100 * (1.1 if day % 2 else 1.0) for day in range(30)]
    watched(watch, wild)
    watch.forget()
    assert [word for word in watched(watch, wild) if isinstance(word, Volatility)] == []


@pytest.mark.parametrize(("ticker", "expected"), [("AAPL", [True, False]), ("IBM", [])])
def test_the_crisis_of_2008_is_seen(ticker: str, expected: list[bool]) -> None:
    told = watched(Watch(), [bar.close for bar in load()[ticker]])
    assert [word.over for word in told if isinstance(word, Volatility)] == expected
    assert 5 < len([word for word in told if isinstance(word, Signal)]) < 40
