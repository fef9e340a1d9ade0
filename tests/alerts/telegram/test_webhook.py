"""The same, brought by the webhook."""

from typing import Any

import pytest

from alerts.models import Channel
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.bot_server import BotServer
from tests.alerts.rows import BOT, a_channel, firing
from tests.alerts.telegram.updates import CHAT, SECRET, acknowledged, link, press_update, token_of
from tests.cast import ApiClient


def deliver(update: Any, *, secret: str | None = SECRET, name: str = "ops") -> Any:
    headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
    return ApiClient(headers=headers).post(f"/monitoring/alerts/chat/telegram/{name}", update)


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", "ü"])
def test_without_its_secret_nothing_is_done(hooked: Channel, alice: User, secret: str | None) -> None:
    link(alice)
    alert = firing()
    answer = deliver(press_update(token_of(alert, hooked)), secret=secret)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "bad_secret")
    assert not acknowledged(alert)
    assert not AuditEvent.objects.exists()


def test_a_channel_that_is_not_there_answers_like_a_wrong_secret(hooked: Channel) -> None:
    a_channel("bare", "telegram", secrets={"token": BOT}, settings={"chat_id": 1, "updates": "webhook"})
    answers = [deliver({}, name=name, secret="x") for name in ("ops", "nowhere", "bare")]
    answers.append(deliver({}, name="bare", secret=""))
    assert {(answer.status_code, answer.content) for answer in answers} == {(403, answers[0].content)}


def test_a_body_that_is_none(hooked: Channel) -> None:
    assert deliver("[1]").status_code == 400


def test_the_webhook_carries_out_and_answers(server: BotServer, hooked: Channel, alice: User) -> None:
    link(alice)
    alert = firing()
    assert deliver(press_update(token_of(alert, hooked))).status_code == 200
    assert acknowledged(alert)
    assert server.next_call()[1]["text"] == "Acknowledged. It is yours."


def test_a_polled_bot_has_no_webhook(server: BotServer, db: None, alice: User) -> None:
    polled = a_channel(
        "ops", "telegram", secrets={"token": BOT, "webhook_secret": SECRET}, settings={"chat_id": CHAT}
    )
    link(alice)
    alert = firing()
    deliver(press_update(token_of(alert, polled)))
    assert not acknowledged(alert)
