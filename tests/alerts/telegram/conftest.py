"""The bot's server, and its channel."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from alerts.models import Channel
from tests.alerts.bot_server import BotServer, bot_server
from tests.alerts.rows import BOT, a_channel
from tests.alerts.telegram.updates import CHAT, SECRET


@pytest.fixture
def server(settings: Settings) -> Iterator[BotServer]:
    with bot_server() as served:
        settings.ALERTS_TELEGRAM_URL = served.url
        yield served


@pytest.fixture
def channel(db: None) -> Channel:
    return a_channel("ops", "telegram", secrets={"token": BOT}, settings={"chat_id": CHAT})


@pytest.fixture
def hooked(db: None) -> Channel:
    secrets = {"token": BOT, "webhook_secret": SECRET}
    return a_channel("ops", "telegram", secrets=secrets, settings={"chat_id": CHAT, "updates": "webhook"})
