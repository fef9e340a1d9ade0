import pytest

from tests.cast import alice, bob, charlie, sam, trader
from tests.metrics.rows import partitions

__all__ = ["alice", "bob", "charlie", "sam", "trader"]


@pytest.fixture
def tables(db: None) -> None:
    """Somewhere to keep rows of any time."""
    del db
    partitions()
