"""A receiver of webhooks, and a chat: channels whose messages can be edited, and which may be used only so often."""

from collections.abc import Iterator

import pytest

from alerts import channels
from alerts.choices import ChannelKind
from tests.alerts.outbox import Chat
from tests.alerts.receiver import Receiver, receiver
from tests.cast import alice

__all__ = ["alice"]


@pytest.fixture
def desk() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def chats(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Stands where Slack is: channels made by `a_chat` speak to it."""
    monkeypatch.setitem(channels.TRANSPORTS, ChannelKind.SLACK, Chat)
    with receiver() as made:
        yield made
