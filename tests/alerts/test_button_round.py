"""From an alert to a message with buttons, to a press, to the message that says whose it is: with everything real but Telegram."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from alerts.chat.polling import poll_bots
from alerts.delivering import drain
from alerts.models import Alert, ChatLink
from alerts.services.raised import RaisedAlert
from alerts.services.raising import raise_alerts
from opsconsole.accounts.models import User
from tests.alerts.rows import a_channel
from tests.cast import ROOT
from tests.telegram_server import TOKEN, TelegramServer

CHAT = -100


@pytest.fixture
def telegram(settings: Settings) -> Iterator[TelegramServer]:
    server = TelegramServer()
    settings.ALERTS_TELEGRAM_URL = server.url
    with server.running():
        yield server


def keys(message: dict[str, Any]) -> dict[str, str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return {key["text"]: key["callback_data"] for row in rows for key in row}


def shown(telegram: TelegramServer) -> tuple[int, dict[str, Any]]:
    """The one message of the chat, with its number."""
    ((place, message),) = telegram.messages.items()
    return place[1], message


def pressed(data: str, *, message: int) -> dict[str, Any]:
    chat = {"id": CHAT, "type": "supergroup"}
    sender = {"id": 42, "username": "alice"}
    query = {"id": "q", "from": sender, "message": {"message_id": message, "chat": chat}, "data": data}
    return {"update_id": 9, "callback_query": query}


@pytest.mark.django_db(transaction=True)
def test_acknowledged_from_the_chat(telegram: TelegramServer, alice: User) -> None:
    a_channel("ops", "telegram", secrets={"token": TOKEN}, settings={"chat_id": CHAT})
    ChatLink.objects.create(
        user=alice, kind="telegram", external_id="42", created_at=timezone.now(), created_by="tests"
    )
    raised = RaisedAlert(category="RISK_WARNING", priority="CRITICAL", title="Volatility", source="api")
    raise_alerts(actor=ROOT, alerts=[raised])
    drain(critical=True)
    number, message = shown(telegram)
    assert list(keys(message)) == ["Acknowledge", "Silence for 1 h", "Stop trading…"]

    telegram.updates = [pressed(keys(message)["Acknowledge"], message=number)]
    assert poll_bots() == 1
    assert Alert.objects.get().acknowledged_by == "alice via telegram"
    assert telegram.answered[0]["text"] == "Acknowledged. It is yours."

    drain(critical=False, clock=later)
    again, edited = shown(telegram)
    assert again == number
    assert list(keys(edited)) == ["Silence for 1 h", "Stop trading…"]
    assert "alice" in edited["shown"]


def later() -> datetime:
    """Past the least time between two edits."""
    return timezone.now() + timedelta(minutes=1)
