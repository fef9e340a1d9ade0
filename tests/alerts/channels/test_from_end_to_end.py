"""A test through the outbox, a worker's hands, and Telegram's API."""

import pytest

from alerts.choices import DeliveryState
from alerts.delivering import drain
from alerts.models import Channel, Delivery
from alerts.services import channels
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.cast import acting, sam
from tests.telegram_server import TOKEN, TelegramServer

__all__ = ["sam"]

pytestmark = pytest.mark.django_db


def make(sam: User) -> Channel:
    values = {"settings": {"chat_id": -100}, "secrets": {"token": TOKEN}}
    return channels.create(actor=acting(sam), name="desk", kind="telegram", values=values, reason="")


def send_test(sam: User) -> Delivery:
    delivery = channels.test(actor=acting(sam), name="desk", reason="")
    drain(critical=True)
    delivery.refresh_from_db()
    return delivery


def test_what_telegram_refuses_is_given_up_with_its_reason(sam: User, telegram: TelegramServer) -> None:
    make(sam)
    telegram.blocked.add(-100)
    delivery = send_test(sam)
    assert (delivery.state, delivery.error) == (
        DeliveryState.DEAD,
        "Telegram: Forbidden: bot was blocked by the user",
    )


def test_arrives(sam: User, telegram: TelegramServer) -> None:
    make(sam)
    assert send_test(sam).state == DeliveryState.SENT
    (shown,) = telegram.messages.values()
    assert shown["shown"].startswith("🔔 TEST · Test of the channel desk")


def test_a_chat_that_moved_is_written_down_with_the_trail(sam: User, telegram: TelegramServer) -> None:
    channel = make(sam)
    telegram.moved[-100] = -200
    telegram.chats.add(-200)
    assert send_test(sam).state == DeliveryState.SENT
    channel.refresh_from_db()
    assert channel.settings == {"chat_id": -200, "goes_to": "chat -200"}
    assert AuditEvent.objects.get(action="alerts.channel_changed").reason == channels.MOVED
