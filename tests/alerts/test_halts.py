"""Which stop an alert follows from."""

from datetime import UTC, datetime

import pytest

from alerts.halts import Halt, covering, register_reader

SINCE = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
EVERYTHING = Halt("global", SINCE, 1)
APPLE = Halt("symbol:AAPL", SINCE, 2)
EXPECTED = {"expected_when": "halted"}


def test_a_second_reader_is_refused() -> None:
    with pytest.raises(RuntimeError):
        register_reader(list)


def test_an_alert_that_does_not_say_so_is_never_expected() -> None:
    assert covering({"alertname": "NoTrades"}, [EVERYTHING]) is None
    assert covering({"expected_when": "always"}, [EVERYTHING]) is None


@pytest.mark.parametrize(
    ("labels", "halts", "found"),
    [
        ({}, [], None),
        ({}, [EVERYTHING], EVERYTHING),
        ({"symbol": "AAPL"}, [EVERYTHING], EVERYTHING),
        ({}, [APPLE], None),
        ({"symbol": "IBM"}, [APPLE], None),
        ({"symbol": "AAPL"}, [APPLE], APPLE),
        ({"scope": "symbol:AAPL"}, [APPLE], APPLE),
        ({"strategy": "AAPL"}, [APPLE], None),
    ],
)
def test_a_stop_explains_what_it_covers(
    labels: dict[str, str], halts: list[Halt], found: Halt | None
) -> None:
    assert covering(EXPECTED | labels, halts) == found
