import pytest

from monitoring.metrics import partitions as kept
from monitoring.metrics.known import known_series
from tests.cast import alice, bob, charlie, sam, trader
from tests.metrics.rows import partitions

__all__ = ["alice", "bob", "charlie", "sam", "trader"]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Series and partitions of other tests are not there."""
    kept.forget()
    known_series._keys = {}


@pytest.fixture
def tables(db: None) -> None:
    """Somewhere to keep rows of any time."""
    del db
    partitions()
