import pytest
from django.test import Client

from opsconsole.accounts.models import User
from tests.cast import alice, bob, charlie, sam, trader
from tests.desk import Desk
from tests.pages.browse import Browse

__all__ = ["alice", "bob", "charlie", "sam", "trader"]


@pytest.fixture
def desk(trader: User) -> Desk:
    """Four processes, all connected."""
    made = Desk(trader)
    made.connect("AAPL", "GOOG", "IBM", "MSFT")
    return made


@pytest.fixture
def browse() -> Browse:
    """A client that is signed in as somebody."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="opsconsole.accounts.backends.PeopleBackend")
        return client

    return signed_in
