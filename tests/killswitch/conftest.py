from collections.abc import Callable
from uuid import uuid4

import pytest

from killswitch.feed import KillSwitchFeed
from killswitch.models import TradingClient
from opsconsole.accounts.models import User
from opsconsole.live.feeds import StreamGrant, StreamRequest
from tests.cast import alice, bob, charlie, sam, token_of, trader

__all__ = ["alice", "bob", "charlie", "sam", "trader"]

HUB = "hub-1"
Connect = Callable[..., TradingClient]


def open_stream(raw: str, *, hub: str = HUB, **query: str | tuple[str, ...]) -> StreamGrant:
    """A stream as the hub opens it for a process with this token."""
    given = {"name": "AAPL", "instance": uuid4().hex, "pid": "4711"} | query
    values = {name: value if isinstance(value, tuple) else (value,) for name, value in given.items()}
    headers = {"authorization": f"Bearer {raw}"}
    return KillSwitchFeed().open(StreamRequest(query=values, headers=headers, ip="192.0.2.9", hub=hub))


@pytest.fixture
def connect(trader: User) -> Connect:
    """Makes a connected trading process of the trading system's account."""
    raw = token_of(trader)

    def connected(name: str = "AAPL", *, hub: str = HUB, scopes: tuple[str, ...] = ()) -> TradingClient:
        return TradingClient.objects.get(pk=open_stream(raw, hub=hub, name=name, scope=scopes).client_id)

    return connected
