"""Tokens that were just looked up: remembered for a few seconds, and not for ever."""

import pytest

from opsconsole.accounts import recent
from opsconsole.accounts.models import ApiToken
from opsconsole.accounts.recent import KEEP_S, MOST, RecentTokens


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    now = {"now": 1000.0}
    monkeypatch.setattr(recent, "monotonic", lambda: now["now"])
    return now


def test_forgets_after_a_few_seconds(clock: dict[str, float]) -> None:
    tokens, token = RecentTokens(), ApiToken(digest="a")
    assert tokens.get("a") is None
    tokens.put(token)
    clock["now"] += KEEP_S - 0.1
    assert tokens.get("a") is token
    clock["now"] += 0.2
    assert tokens.get("a") is None


def test_forgets_at_once_what_is_dropped(clock: dict[str, float]) -> None:
    tokens, token = RecentTokens(), ApiToken(digest="a")
    tokens.put(token)
    tokens.drop(token)
    tokens.drop(token)
    assert tokens.get("a") is None


def test_holds_a_bounded_number(clock: dict[str, float]) -> None:
    tokens = RecentTokens()
    for number in range(MOST + 1):
        tokens.put(ApiToken(digest=str(number)))
    assert tokens.get("0") is None
    assert tokens.get(str(MOST)) is not None
