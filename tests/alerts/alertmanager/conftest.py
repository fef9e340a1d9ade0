import pytest

from opsconsole.accounts.models import User
from tests.alerts.alertmanager.caller import Caller
from tests.alerts.alertmanager.parcel import Web
from tests.cast import alice, bob, charlie, sam, trader

__all__ = ["alice", "bob", "charlie", "sam", "trader"]


@pytest.fixture
def am(alice: User) -> Caller:
    """Alice's, who may raise and silence."""
    return Caller(alice)


@pytest.fixture
def web() -> Web:
    return Web()
