from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.chat_servers import ChatServer
from tests.mail_server import MailServer
from tests.slack_server import SlackServer
from tests.telegram_server import TelegramServer


@pytest.fixture
def receiver() -> Iterator[ChatServer]:
    server = ChatServer()
    with server.running():
        yield server


@pytest.fixture
def telegram(settings: Settings) -> Iterator[TelegramServer]:
    server = TelegramServer()
    settings.ALERTS_TELEGRAM_URL = server.url
    with server.running():
        yield server


@pytest.fixture
def slack(settings: Settings) -> Iterator[SlackServer]:
    server = SlackServer()
    settings.ALERTS_SLACK_URL = server.url
    with server.running():
        yield server


@pytest.fixture
def mail(settings: Settings) -> Iterator[MailServer]:
    server = MailServer()
    # pytest-django keeps mails in memory otherwise.
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    with server.running():
        yield server
