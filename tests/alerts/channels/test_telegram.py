"""Telegram."""

import pytest

from alerts.channels.base import Pace, SendFailed
from alerts.channels.message import Button
from alerts.channels.telegram import TelegramTransport
from alerts.choices import DeliveryKind, Priority
from tests.alerts.channels.messages import NASTY, message, resolved
from tests.chat_servers import Answer, CutOff
from tests.telegram_server import TOKEN, TelegramServer, throttled


def bot(chat_id: int | str = -100, token: str = TOKEN, **settings: object) -> TelegramTransport:
    return TelegramTransport({"chat_id": chat_id, **settings}, {"token": token})


def failure_of(transport: TelegramTransport) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        transport.send(message())
    return caught.value


def test_a_blocked_bot_has_failed_for_good(telegram: TelegramServer) -> None:
    telegram.blocked.add(7)
    failure = failure_of(bot(7))
    assert (failure.permanent, failure.status) == (True, 403)
    assert failure.text == "Telegram: Forbidden: bot was blocked by the user"


def test_an_unknown_chat_has_failed_for_good(telegram: TelegramServer) -> None:
    assert failure_of(bot(-1)).permanent


def test_a_wrong_token_is_named_by_nobody(telegram: TelegramServer) -> None:
    other = "987654321:AAOther-token_for_tests_987654321"
    telegram.script(Answer(401, {"ok": False, "description": f"Unauthorized: bot{other}"}))
    failure = failure_of(bot(token=other))
    assert failure.permanent
    assert other not in failure.text
    assert "AAOther" not in repr(failure)


def test_waits_as_long_as_it_is_told(telegram: TelegramServer) -> None:
    telegram.script(throttled(17))
    failure = failure_of(bot())
    assert (failure.permanent, failure.retry_after, failure.status) == (False, 17.0, 429)
    assert not failure.maybe_delivered


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_page_instead_of_an_answer_is_tried_again(telegram: TelegramServer, status: int) -> None:
    telegram.script(Answer(status, "<html>Bad Gateway</html>"))
    failure = failure_of(bot())
    assert (failure.permanent, failure.text) == (False, f"Telegram: HTTP {status}")


def test_a_cut_leaves_it_open(telegram: TelegramServer) -> None:
    telegram.script(CutOff())
    failure = failure_of(bot())
    assert (failure.permanent, failure.maybe_delivered) == (False, True)
    assert TOKEN not in failure.text


def test_sends_with_markup(telegram: TelegramServer) -> None:
    receipt = bot(thread_id=3).send(message())
    shown = telegram.messages[-100, 88412]
    assert receipt.external == {"chat": -100, "message": 88412}
    assert receipt.settings == {}
    assert (shown["parse_mode"], shown["message_thread_id"]) == ("HTML", 3)
    assert shown["text"] == (
        "<b>🛑 CRITICAL · Drawdown above 5%</b>\nRaised 14:13 UTC · RISK_WARNING\n\n"
        "Portfolio drawdown is −5.2%, limit 5%.\n\n"
        "symbol: <code>IBM</code>\ndrawdown: <code>−5.2%</code>"
    )
    assert shown["link_preview_options"] == {"is_disabled": True}
    assert shown["disable_notification"] is False


def test_nothing_in_a_text_breaks_the_markup(telegram: TelegramServer) -> None:
    bot().send(message(title=NASTY, text=NASTY, facts=((NASTY, NASTY),)))
    assert len(telegram.received) == 1
    shown = telegram.messages[-100, 88412]["shown"]
    assert "<b>5% & </b> <!channel>" in shown
    assert not {"\x00", "\x1b", "\u202e", "\r"} & set(shown)


@pytest.mark.parametrize("letter", ["x", "&", "<", "👩", "e\u0301"])
def test_a_long_text_is_cut_before_it_is_escaped(telegram: TelegramServer, letter: str) -> None:
    bot().send(message(text=letter * 20_000, facts=(("name", "v" * 5_000),) * 10))
    assert len(telegram.received) == 1
    assert telegram.messages[-100, 88412]["shown"].count("…") > 1


def test_a_refused_markup_is_sent_as_plain_text(telegram: TelegramServer) -> None:
    telegram.script(Answer(400, {"ok": False, "description": "Bad Request: can't parse entities: byte 7"}))
    bot().send(message())
    first, second = (received.fields for received in telegram.received)
    assert first["parse_mode"] == "HTML"
    assert "parse_mode" not in second
    assert second["text"].startswith("🛑 CRITICAL · Drawdown above 5%\nRaised 14:13 UTC")


def test_follows_a_group_that_has_moved(telegram: TelegramServer) -> None:
    telegram.moved[-100] = -200
    telegram.chats.add(-200)
    receipt = bot().send(message())
    assert receipt.external["chat"] == -200
    assert receipt.settings == {"chat_id": -200}


def test_a_group_that_moves_in_circles_ends(telegram: TelegramServer) -> None:
    telegram.moved |= {-100: -200, -200: -100}
    assert failure_of(bot()).permanent


def test_answers_the_first_message_of_the_incident(telegram: TelegramServer) -> None:
    first = bot().send(message())
    bot().send(resolved(reply_to=first.external))
    answer = telegram.messages[-100, 88413]
    assert answer["reply_parameters"] == {"message_id": 88412, "allow_sending_without_reply": True}
    assert answer["shown"].startswith(
        "✅ RESOLVED · Drawdown above 5%\nResolved 14:40 UTC by dana, after 27 minutes"
    )
    assert answer["disable_notification"] is True


def test_buttons_carry_their_tokens(telegram: TelegramServer) -> None:
    bot().send(message(buttons=(Button("Acknowledge", "t1"), Button("Stop trading", "t2", danger=True))))
    assert telegram.messages[-100, 88412]["reply_markup"] == {
        "inline_keyboard": [
            [{"text": "Acknowledge", "callback_data": "t1"}],
            [{"text": "Stop trading", "callback_data": "t2"}],
        ]
    }


def test_edits_in_place(telegram: TelegramServer) -> None:
    first = bot().send(message(buttons=(Button("Acknowledge", "t1"),)))
    receipt = bot().edit(message(kind=DeliveryKind.EDIT, count=12), first.external)
    shown = telegram.messages[-100, 88412]
    assert receipt.external == first.external
    assert "12 times, since 14:13 UTC, last 14:13" in shown["shown"]
    assert shown["reply_markup"] == {"inline_keyboard": []}


def test_an_edit_that_changes_nothing_has_worked(telegram: TelegramServer) -> None:
    first = bot().send(message())
    assert bot().edit(message(), first.external).external == first.external


def test_an_edit_of_a_deleted_message_has_failed_for_good(telegram: TelegramServer) -> None:
    with pytest.raises(SendFailed) as caught:
        bot().edit(message(), {"chat": -100, "message": 1})
    assert caught.value.permanent


def test_a_low_one_makes_no_sound(telegram: TelegramServer) -> None:
    bot().send(message(priority=Priority.LOW))
    assert telegram.messages[-100, 88412]["disable_notification"] is True


def test_keeps_telegrams_pace() -> None:
    assert bot(-100).pace == Pace(per_second=1, per_minute=20)
    assert bot("@ops").pace == Pace(per_second=1, per_minute=20)
    assert bot(7).pace == Pace(per_second=1)
