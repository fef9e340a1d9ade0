"""What several live parts show is read once for them, and again after each announcement."""

import pytest

from opsconsole.live import shared
from opsconsole.live.badges import Badge, together
from opsconsole.live.board import Slot
from opsconsole.live.feeds import LivePart
from opsconsole.live.shared import Shared


@pytest.fixture(autouse=True)
def _for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "SHARED", 3600.0)


def test_is_read_once_until_something_is_announced() -> None:
    values = iter(range(9))
    found = Shared(lambda: next(values))
    assert [found.get(), found.get()] == [0, 0]
    # As the hub does when a topic of the part is announced.
    Slot(LivePart("part", frozenset({"topic"}), str, shared=(found,))).outdate()
    assert [found.get(), found.get()] == [1, 1]


def test_what_was_announced_while_it_was_read_is_read_again() -> None:
    values = iter(range(9))

    def read() -> int:
        value = next(values)
        if value == 0:
            found.forget()
        return value

    found: Shared[int] = Shared(read)
    assert [found.get(), found.get(), found.get()] == [0, 1, 1]


def test_one_number_for_several_says_what_it_is_made_of() -> None:
    one = Badge(1, "not closed", "1 breaker not closed", bad=False)
    two = Badge(2, "abnormal", "2 components abnormal", bad=True)
    assert together([one, two]) == Badge(
        3,
        "(1 breaker not closed, 2 components abnormal)",
        "1 breaker not closed, 2 components abnormal",
        bad=True,
    )
    assert (
        together([one, Badge(0, "abnormal", "0 components abnormal", bad=False)]).words
        == "(1 breaker not closed)"
    )
