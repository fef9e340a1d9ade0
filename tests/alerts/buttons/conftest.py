"""The channel with buttons."""

import pytest

from alerts.models import Channel
from tests.alerts.rows import BOT, a_channel


@pytest.fixture
def channel(db: None) -> Channel:
    return a_channel("ops", "telegram", secrets={"token": BOT}, settings={"chat_id": -100})
