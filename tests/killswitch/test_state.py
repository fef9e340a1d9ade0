"""The pure rules."""

import pytest

from killswitch.choices import Mode
from killswitch.patience import Patience
from killswitch.state import closes_further, covers, parse_scope


@pytest.mark.parametrize(
    "text",
    [
        "",
        "everything",
        "symbol",
        "symbol:",
        "symbol: IBM",
        "desk:1",
        "symbol:" + "x" * 81,
        "symbol:a\x00",
        "symbol:\u2028",
        "IBM",
    ],
)
def test_refuses_scopes_that_name_nothing(text: str) -> None:
    with pytest.raises(ValueError, match=r"scope: must be global, or one of account:…"):
        parse_scope(text)


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("global", "global"),
        (" GLOBAL ", "global"),
        ("Symbol:IBM", "symbol:IBM"),
        ("symbol:BRK.B", "symbol:BRK.B"),
        ("venue:a:b", "venue:a:b"),
        ("strategy:ü", "strategy:ü"),
    ],
)
def test_reads_scopes_in_one_spelling(text: str, scope: str) -> None:
    assert parse_scope(text) == scope


@pytest.mark.parametrize(
    ("scope", "named", "covered"),
    [
        ("global", ["symbol:IBM"], True),
        ("symbol:IBM", ["symbol:IBM", "venue:sim"], True),
        ("symbol:IBM", ["symbol:AAPL"], False),
        # Names no symbol, so it may trade any.
        ("symbol:IBM", ["venue:sim"], True),
        ("symbol:IBM", [], True),
    ],
)
def test_a_stop_covers_who_may_trade_it(scope: str, named: list[str], covered: bool) -> None:
    assert covers(scope, named) is covered


def test_a_stop_only_ever_closes() -> None:
    order = [Mode.ACTIVE, Mode.REDUCE_ONLY, Mode.HALTED]
    for present in order:
        for wanted in order:
            assert closes_further(present, wanted) is (order.index(wanted) > order.index(present))


def test_patience_counts_from_when_each_epoch_was_first_seen() -> None:
    patience = Patience()
    assert patience.look([5], now=100.0) == {5: 0.0}
    assert patience.look([5, 6], now=102.5) == {5: 2.5, 6: 0.0}
    assert patience.look([6], now=103.0) == {6: 0.5}
    # Forgotten when it was not open, so it starts again.
    assert patience.look([5], now=104.0) == {5: 0.0}
