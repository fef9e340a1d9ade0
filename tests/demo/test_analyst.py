"""The simulated AI calls: the same each time, at real prices."""

import pytest

from demo.analyst import MILLION, PRICES, calls_of
from demo.prices import load


def test_a_day_costs_the_same_each_time_and_differs_from_others() -> None:
    assert calls_of("AAPL", "2008-09-29") == calls_of("AAPL", "2008-09-29")
    assert calls_of("AAPL", "2008-09-29") != calls_of("IBM", "2008-09-29")


def test_calls_cost_what_the_price_list_says() -> None:
    for bar in load()["MSFT"]:
        for call in calls_of(bar.ticker, bar.date):
            fresh, cached, said = PRICES[call.provider, call.model]
            tokens = (call.input_tokens, call.cached_tokens, call.output_tokens)
            cost = (
                sum(price * count for price, count in zip((fresh, cached, said), tokens, strict=True))
                / MILLION
            )
            assert call.cost_usd == pytest.approx(cost)
            assert call.saved_usd == pytest.approx(call.cached_tokens * (fresh - cached) / MILLION)
            assert call.status == "success" or not any(tokens)


def test_some_fail() -> None:
    calls = [call for ticker, tape in load().items() for bar in tape for call in calls_of(ticker, bar.date)]
    assert 1 <= sum(call.status == "error" for call in calls) < len(calls) / 100
