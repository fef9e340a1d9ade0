import pytest

from monitoring.metrics import partitions
from monitoring.metrics.known import known_series
from tests.cast import alice, bob, charlie, sam, trader

__all__ = ["alice", "bob", "charlie", "sam", "trader"]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Series and partitions of other tests are not there."""
    partitions.forget()
    known_series._keys = {}
