import pytest

from alerts.services import submitting
from tests.cast import alice, bob, charlie, sam, trader

__all__ = ["alice", "bob", "charlie", "sam", "trader"]


@pytest.fixture(autouse=True)
def _nothing_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alerts stay as they were submitted: a thread would decide them sooner or later."""
    monkeypatch.setattr(submitting._decider, "wake", lambda: None)
