"""What people do in Telegram reaches the console: read by one poller at a time."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from pytest_django import Settings

from alerts.chat import polling, telegram
from alerts.chat.polling import poll_bots
from alerts.models import BotPoll, Channel
from alerts.tasks import poll_telegram
from killswitch.models import Activation
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.bot_server import BotServer
from tests.alerts.rows import BOT, NOW, a_channel, firing
from tests.alerts.telegram.updates import CHAT, SECOND, acknowledged, link, press_update, token_of

# Polling: refusals


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"callback_query": 5},
        {"callback_query": {"id": "1", "data": "x"}},
        {"callback_query": {"id": "1", "from": {"id": 1, "is_bot": True}, "data": "x"}},
        {"callback_query": {"id": "1", "from": {"id": 1}, "data": 7}},
        {"message": {"text": "hello", "chat": {"id": 5, "type": "private"}, "from": {"id": 5}}},
        {"message": {"text": None, "chat": [], "from": None}},
        {"edited_message": {}},
    ],
)
def test_what_asks_for_nothing_is_read_and_left(
    server: BotServer, channel: Channel, update: dict[str, Any]
) -> None:
    server.updates = [{"update_id": 7, **update}]
    assert poll_bots(now=NOW) == 1
    assert server.calls == []
    assert BotPoll.objects.get().offset == 8


@pytest.mark.parametrize("chat", [CHAT + 1, "x", None, True])
def test_a_press_in_a_foreign_chat(server: BotServer, channel: Channel, alice: User, chat: Any) -> None:
    link(alice)
    alert = firing()
    server.updates = [press_update(token_of(alert, channel), chat=chat)]
    poll_bots(now=NOW)
    assert not acknowledged(alert)
    ((method, params),) = server.calls
    assert method == "answerCallbackQuery"
    assert "belongs to another chat" in params["text"]
    assert AuditEvent.objects.get().action == "alerts.button_refused"


def test_a_press_without_its_message(server: BotServer, channel: Channel, alice: User) -> None:
    link(alice)
    alert = firing()
    update = press_update(token_of(alert, channel))
    del update["callback_query"]["message"]
    server.updates = [update]
    poll_bots(now=NOW)
    assert not acknowledged(alert)


def test_whoever_is_not_linked_is_told_so_over_the_chat(server: BotServer, channel: Channel) -> None:
    alert = firing()
    server.updates = [press_update(token_of(alert, channel), sender=666)]
    poll_bots(now=NOW)
    assert not acknowledged(alert)
    ((method, params),) = server.calls
    assert (method, params["callback_query_id"], params["show_alert"]) == ("answerCallbackQuery", "q1", True)
    assert "not linked" in params["text"]
    assert len(params["text"]) <= 200
    assert AuditEvent.objects.get().actor_name == "telegram 666 (@alice)"


# Polling: it works


def test_a_press_is_carried_out_and_answered(server: BotServer, channel: Channel, alice: User) -> None:
    link(alice)
    alert = firing()
    server.updates = [press_update(token_of(alert, channel), number=70)]
    assert poll_bots(now=NOW) == 1
    assert acknowledged(alert)
    assert server.calls == [
        (
            "answerCallbackQuery",
            {"callback_query_id": "q70", "text": "Acknowledged. It is yours.", "show_alert": False},
        )
    ]


def test_a_public_chat_may_be_named(server: BotServer, db: None, alice: User) -> None:
    named = a_channel("ops", "telegram", secrets={"token": BOT}, settings={"chat_id": "@desk"})
    link(alice)
    alert = firing()
    server.updates = [press_update(token_of(alert, named))]
    poll_bots(now=NOW)
    assert acknowledged(alert)


def test_the_next_poll_asks_for_the_next_update(server: BotServer, channel: Channel) -> None:
    server.updates = [press_update("x", number=70), press_update("y", number=71)]
    poll_bots(now=NOW)
    poll_bots(now=NOW)
    assert [poll["offset"] for poll in server.polls] == [0, 72]
    assert server.updates == []


def test_an_update_that_comes_again_does_nothing_again(
    server: BotServer, channel: Channel, alice: User
) -> None:
    """The process died after the act and before it could note that."""
    link(alice)
    alert = firing()
    update = press_update(token_of(alert, channel))
    for _ in range(2):
        server.updates = [update]
        BotPoll.objects.update(offset=0)
        poll_bots(now=NOW)
    assert acknowledged(alert)
    assert AuditEvent.objects.count() == 1
    assert server.calls[1][1]["text"] == "That was done already, by alice."


def test_stop_asks_below_the_alert_and_the_answer_takes_its_place(
    server: BotServer, channel: Channel, alice: User
) -> None:
    link(alice)
    alert = firing(labels={})
    server.updates = [press_update(token_of(alert, channel, "Stop trading…"))]
    poll_bots(now=NOW)
    (asked, params), (answered, _) = server.calls
    assert (asked, answered) == ("sendMessage", "answerCallbackQuery")
    assert (params["chat_id"], params["reply_parameters"]["message_id"]) == (CHAT, 88)
    ((key,),) = params["reply_markup"]["inline_keyboard"]
    assert key["text"] == "Stop everything now"
    assert len(key["callback_data"].encode()) <= 64
    assert not Activation.objects.exists()

    server.updates = [press_update(key["callback_data"], number=2)]
    poll_bots(now=NOW)
    assert Activation.objects.get().activated_by == "alice via telegram"
    method, params = server.calls[-1]
    assert (method, params["message_id"]) == ("editMessageText", 88)
    assert "Everything is being stopped" in params["text"]
    assert "reply_markup" not in params


def test_a_topic_stays_in_its_topic(channel: Channel, alice: User) -> None:
    link(alice)
    update = press_update(token_of(firing(), channel, "Stop trading…"))
    update["callback_query"]["message"] |= {"is_topic_message": True, "message_thread_id": 5}
    calls = telegram.handle(update, channels=[channel], now=NOW)
    assert calls[0].params["message_thread_id"] == 5


def test_one_bot_serves_several_chats(server: BotServer, channel: Channel, alice: User) -> None:
    a_channel("other", "telegram", secrets={"token": BOT}, settings={"chat_id": 5})
    link(alice)
    alert = firing()
    server.updates = [press_update(token_of(alert, channel))]
    assert poll_bots(now=NOW) == 1
    assert len(server.polls) == 1
    assert acknowledged(alert)


@pytest.mark.parametrize(
    "fields", [{"enabled": False}, {"settings": {"updates": "off"}}, {"settings": {"updates": "webhook"}}]
)
def test_bots_that_are_not_polled(server: BotServer, db: None, fields: dict[str, Any]) -> None:
    a_channel("ops", "telegram", secrets={"token": BOT}, **fields)
    a_channel("unreadable", "telegram", settings={"chat_id": 1})
    Channel.objects.filter(name="unreadable").update(secrets="sealed with another key")
    assert poll_bots(now=NOW) == 0
    assert server.polls == []


def test_the_task_polls(server: BotServer, channel: Channel) -> None:
    poll_telegram()
    assert len(server.polls) == 1


# Polling: one at a time, and failures


def test_one_reader_at_a_time(server: BotServer, channel: Channel) -> None:
    BotPoll.objects.create(bot="4711", claim=uuid4(), claimed_until=NOW + SECOND)
    assert poll_bots(now=NOW) == 0
    assert server.polls == []
    poll_bots(now=NOW + SECOND)
    assert len(server.polls) == 1
    poll = BotPoll.objects.get()
    assert (poll.claim, poll.claimed_until, poll.last_success_at) == (None, None, NOW + SECOND)


def test_a_reader_that_was_taken_for_dead_stops(
    server: BotServer, channel: Channel, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it did is done; it notes nothing, and answers nothing more."""
    server.updates = [press_update("x", number=1), press_update("y", number=2)]
    real = telegram.handle

    def taken_over(update: Any, **fields: Any) -> Any:
        BotPoll.objects.update(claim=uuid4())
        return real(update, **fields)

    monkeypatch.setattr(polling, "handle", taken_over)
    assert poll_bots(now=NOW) == 0
    assert BotPoll.objects.get().offset == 0
    assert server.calls == []


def test_failures_wait_longer_and_longer_and_keep_the_secret(server: BotServer, channel: Channel) -> None:
    server.fails = (
        409,
        {"ok": False, "error_code": 409, "description": f"Conflict: {BOT} is read elsewhere"},
    )
    waits, now = [], NOW
    for _ in range(8):
        poll_bots(now=now)
        poll = BotPoll.objects.get()
        assert poll.next_at is not None
        waits.append((poll.next_at - now).total_seconds())
        poll_bots(now=poll.next_at - SECOND / 2)
        now = poll.next_at
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert poll.failures_in_a_row == 8
    assert "409" in poll.last_error
    assert BOT not in poll.last_error
    server.fails = None
    poll_bots(now=now)
    poll.refresh_from_db()
    assert (poll.failures_in_a_row, poll.next_at, poll.last_error) == (0, None, "")


def test_the_wait_that_is_asked_for_is_obeyed(server: BotServer, channel: Channel) -> None:
    server.fails = (
        429,
        {"ok": False, "error_code": 429, "description": "Too Many", "parameters": {"retry_after": 33}},
    )
    poll_bots(now=NOW)
    assert BotPoll.objects.get().next_at == NOW + 33 * SECOND


def test_nobody_there(channel: Channel, settings: Settings) -> None:
    settings.ALERTS_TELEGRAM_URL = "http://127.0.0.1:9"
    assert poll_bots(now=NOW) == 0
    assert BotPoll.objects.get().last_failure_at == NOW


def test_what_cannot_be_carried_out_does_not_hold_up_the_rest(
    server: BotServer, channel: Channel, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    link(alice)
    alert = firing()
    server.updates = [press_update("x", number=1), press_update(token_of(alert, channel), number=2)]
    real = telegram.handle

    def fails_once(update: Any, **fields: Any) -> Any:
        if update["update_id"] == 1:
            raise RuntimeError("a fault of ours")
        return real(update, **fields)

    monkeypatch.setattr(polling, "handle", fails_once)
    assert poll_bots(now=NOW) == 2
    assert acknowledged(alert)


def test_what_the_database_could_not_take_comes_again(
    server: BotServer, channel: Channel, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    link(alice)
    alert = firing()
    server.updates = [press_update(token_of(alert, channel))]

    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(polling, "handle", away)
        with pytest.raises(OperationalError):
            poll_bots(now=NOW)
    assert BotPoll.objects.get().claimed_until is None
    assert poll_bots(now=NOW) == 1
    assert acknowledged(alert)
