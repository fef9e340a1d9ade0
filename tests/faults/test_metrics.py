"""Trades that are counted exactly while web, worker and trading processes are killed: the short form of `script/bench metrics-faults`."""

from pathlib import Path

import pytest

from bench.metrics_faults import measure
from bench.metrics_ledger import Tickers
from bench.metrics_trader import CHUNK

TRADES = 16_000


def test_each_trade_is_counted_once_whatever_is_killed(folder: Path) -> None:
    found = measure(folder, trades=TRADES, every=1_000)
    assert found["kills"]["web"] >= 1
    assert found["kills"]["client"] >= 1
    assert sum(found["expected"].values()) == TRADES
    for where in ("series", "minutes", "exposed"):
        assert found[where] == found["expected"], where
    zero = {name: found[name] for name in ("wrong", "misplaced", "lost", "extra")}
    assert zero == dict.fromkeys(zero, 0)
    assert found["batches"] > 0


def tape(*numbers: int) -> Tickers:
    """As if these trades had been counted."""
    found = Tickers()
    for number in numbers:
        chunk, place = divmod(number, CHUNK)
        found.count(f"C{chunk}", 1)
        found.observe(f"C{chunk}", 1, place)
    return found


@pytest.mark.parametrize("count", [0, 1, 3, CHUNK, CHUNK + 1])
def test_the_first_trades_once_each_are_right(count: int) -> None:
    found = tape(*range(count))
    assert (found.total, found.wrong()) == (count, [])


@pytest.mark.parametrize(
    ("numbers", "wrong"),
    [
        ((0, 1, 2, 4), ["C0"]),
        ((0, 1, 2, 2), ["C0"]),
        # As many twice as are missing.
        ((0, 1, 1, 2, 4), ["C0"]),
        ((*range(CHUNK), CHUNK + 1), ["C1"]),
        ((*range(CHUNK - 1), CHUNK), ["C0", "C1"]),
        ((*range(CHUNK), 0), ["C0", "C1"]),
    ],
)
def test_the_ledger_sees_what_is_lost_and_what_is_counted_twice(
    numbers: tuple[int, ...], wrong: list[str]
) -> None:
    assert tape(*numbers).wrong() == wrong


def test_the_ledger_sees_a_trade_without_its_slippage() -> None:
    found = tape(0, 1)
    found.count("C0", 1)
    assert found.wrong() == ["C0"]
