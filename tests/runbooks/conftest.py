import pytest

from alerts.services import submitting
from tests.at_once import at_once
from tests.cast import alice, bob, charlie, sam, trader
from tests.pages.conftest import browse, desk

__all__ = ["alice", "at_once", "bob", "browse", "charlie", "desk", "sam", "trader"]


@pytest.fixture(autouse=True)
def _nothing_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alerts stay as they were submitted: a thread would decide them sooner or later."""
    monkeypatch.setattr(submitting._decider, "wake", lambda: None)
