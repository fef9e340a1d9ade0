"""While the console is away, what is CRITICAL goes out by the process' own bots; and nothing else does."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opsclient.smart_alerts import AlertDecision, AlertPriority, SmartAlertManager

from tests.client.console_server import ConsoleServer, Handler, eventually

Make = Callable[..., SmartAlertManager]


class TelegramBot:
    """As python-telegram-bot's Bot: asynchronous, and told where to."""

    def __init__(self) -> None:
        self.sent: list[tuple[object, str]] = []
        self.loops: list[object] = []

    async def send_message(self, chat_id: object, text: str, *, parse_mode: str | None = None) -> None:
        await asyncio.sleep(0)
        self.loops.append(asyncio.get_running_loop())
        self.sent.append((chat_id, text))


class SlackClient:
    """As slack_sdk's WebClient."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def chat_postMessage(self, *, channel: str, text: str | None = None, **_more: Any) -> None:  # noqa: N802
        self.sent.append((channel, str(text)))


class SlackWebhook:
    """As slack_sdk's WebhookClient."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, *, text: str | None = None) -> None:
        self.sent.append(str(text))


class OwnBot:
    """As programs often wrap one: it knows its chat."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send_message(self, message: str) -> None:
        self.sent.append(message)


@pytest.fixture
def away(server: ConsoleServer) -> Iterator[ConsoleServer]:
    """The console is not there."""
    server.stop()
    yield server
    if server.down:
        server.start()


def test_what_is_less_than_critical_waits(manage: Make, away: ConsoleServer) -> None:
    bot = OwnBot()
    manager = manage(telegram_bot=bot)
    result = manager.send_alert_sync("SYSTEM_ERROR", "bad", priority=AlertPriority.HIGH, force=True)
    assert (result.queued, result.sent_directly, bool(result)) == (True, False, False)
    assert not manager.resolve_sync(result).sent_directly
    assert bot.sent == []


def test_while_the_console_answers_nothing_goes_directly(manage: Make, server: ConsoleServer) -> None:
    bot = OwnBot()
    server.decision = "SILENCED"
    manager = manage(telegram_bot=bot)
    assert manager.alert_critical_error_sync("bad").decision is AlertDecision.SILENCED
    manager.close()
    assert bot.sent == []


def test_critical_goes_out_at_once_and_the_console_is_told_so_later(
    manage: Make, away: ConsoleServer
) -> None:
    bot, slack = TelegramBot(), SlackClient()
    manager = manage(telegram_bot=bot, telegram_chat_id=-100, slack_client=slack, slack_channel="#desk")
    result = asyncio.run(
        manager.alert_critical_error("Database connection lost", {"database": "timescaledb"})
    )
    assert (result.decision, result.sent_directly, bool(result)) == (AlertDecision.QUEUED, True, True)
    assert result.reason.startswith("sent directly; queued: no answer from")
    eventually(lambda: len(bot.sent) == len(slack.sent) == 1, "both are sent")
    chat, text = bot.sent[0]
    assert (chat, slack.sent) == (-100, [("#desk", text)])
    assert text.startswith("CRITICAL · SYSTEM_ERROR\nDatabase connection lost\ndatabase: timescaledb\n")
    assert "sent by desk itself: no answer" in text
    manager.alert_data_quality_sync("yahoo", "stale")
    away.start()
    assert manager.flush()
    assert [alert.get("sent_directly") for alert in away.alerts] == [True, None]
    assert len(bot.sent) == 1


def test_the_mark_survives_the_process(manage: Make, away: ConsoleServer) -> None:
    manager = manage(telegram_bot=OwnBot())
    assert manager.alert_critical_error_sync("bad").sent_directly
    manager.close(timeout=0.1)
    away.start()
    bot = OwnBot()
    manage(telegram_bot=bot)
    eventually(lambda: away.alerts, "it is delivered")
    assert away.alerts[0]["sent_directly"] is True
    assert bot.sent == []


def test_a_console_that_hangs_is_gone_round_before_the_wait_is_over(
    manage: Make, server: ConsoleServer
) -> None:
    free, bot = threading.Event(), OwnBot()

    def hang(_handler: Handler, _path: str, _data: dict[str, Any]) -> bool:
        free.wait(20)
        return False

    server.post_answer = hang
    manager = manage(telegram_bot=bot, wait_s=1.0)
    result = asyncio.run(manager.alert_critical_error("bad"))
    assert (result.queued, result.sent_directly) == (True, True)
    assert len(bot.sent) == 1
    assert "has not answered in time" in bot.sent[0]
    server.post_answer = None
    free.set()
    assert manager.flush()
    assert server.titles() == ["bad"]


@pytest.mark.parametrize("status", [401, 503])
def test_a_console_that_refuses_is_gone_round(manage: Make, server: ConsoleServer, status: int) -> None:
    bot = OwnBot()
    body = {"error": {"code": "code", "message": "no", "details": {}}}
    server.post_answer = lambda handler, _path, _data: handler.answer(status, body)
    result = manage(telegram_bot=bot).alert_critical_error_sync("bad")
    assert (result.queued, result.sent_directly) == (True, True)
    assert f"({status}: no)" in bot.sent[0]


def test_what_the_console_cannot_read_is_told_directly(manage: Make, server: ConsoleServer) -> None:
    bot = OwnBot()
    result = manage(telegram_bot=bot).alert_critical_error_sync("poison")
    assert (result.decision, result.sent_directly, bool(result)) == (AlertDecision.UNSENT, True, True)
    assert len(bot.sent) == 1


def test_without_a_console_critical_goes_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = OwnBot()
    with SmartAlertManager(telegram_bot=bot) as manager:
        result = manager.alert_critical_error_sync("bad")
        assert manager.alert_data_quality_sync("yahoo", "stale").decision is AlertDecision.UNSENT
    assert (result.decision, result.sent_directly, bool(result)) == (AlertDecision.UNSENT, True, True)
    assert "the console has not been told" in result.reason
    assert len(bot.sent) == 1


def test_what_the_console_had_taken_before_it_went_is_not_taken_again_with_the_mark(
    manage: Make, server: ConsoleServer
) -> None:
    def lose(handler: Handler, _path: str, data: dict[str, Any]) -> bool:
        server.take_alerts(data, handler.headers["Idempotency-Key"])
        handler.close_connection = True
        return True

    server.post_answer = lose
    manager = manage(telegram_bot=OwnBot())
    assert manager.alert_critical_error_sync("bad").sent_directly
    server.post_answer = None
    manager.alert_data_quality_sync("yahoo", "stale")
    assert manager.flush()
    assert server.titles() == ["bad", "Data of yahoo: stale"]


def test_what_is_critical_has_the_console_looked_for_at_once(
    manage: Make, server: ConsoleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsclient.alerts.sender.REFUSED_PAUSE_S", 1000.0)
    body = {"error": {"code": "code", "message": "no", "details": {}}}
    server.post_answer = lambda handler, _path, _data: handler.answer(403, body)
    manager = manage()
    assert manager.alert_data_quality_sync("yahoo", "stale").queued
    server.post_answer = None
    assert manager.alert_data_quality_sync("yahoo", "late").queued
    assert manager.alert_critical_error_sync("bad").sent
    assert len(server.alerts) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        {"slack_client": SlackWebhook()},
        {"slack_client": OwnBot()},
        {"telegram_bot": OwnBot()},
    ],
)
def test_bots_that_know_where_to(manage: Make, away: ConsoleServer, arguments: dict[str, Any]) -> None:
    assert manage(**arguments).alert_critical_error_sync("bad").sent_directly
    (bot,) = arguments.values()
    assert len(bot.sent) == 1


@pytest.mark.parametrize("argument", ["telegram_bot", "slack_client"])
def test_any_function_of_a_text_will_do(manage: Make, away: ConsoleServer, argument: str) -> None:
    sent: list[str] = []
    assert manage(**{argument: sent.append}).alert_critical_error_sync("bad").sent_directly
    assert len(sent) == 1


def test_chat_and_channel_may_come_from_the_environment(
    manage: Make, away: ConsoleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSCLIENT_TELEGRAM_CHAT_ID", "-77")
    monkeypatch.setenv("OPSCLIENT_SLACK_CHANNEL", "C1")
    bot, slack = TelegramBot(), SlackClient()
    manage(telegram_bot=bot, slack_client=slack).alert_critical_error_sync("bad")
    eventually(lambda: bot.sent and slack.sent, "both are sent")
    assert (bot.sent[0][0], slack.sent[0][0]) == ("-77", "C1")


def test_a_bot_without_a_chat_is_said_at_once(
    manage: Make, away: ConsoleServer, caplog: pytest.LogCaptureFixture
) -> None:
    manager = manage(telegram_bot=TelegramBot())
    assert "telegram_bot cannot be used" in caplog.text
    assert "OPSCLIENT_TELEGRAM_CHAT_ID" in caplog.text
    assert not manager.alert_critical_error_sync("bad").sent_directly


def test_an_asynchronous_bot_is_called_on_the_applications_loop(manage: Make, away: ConsoleServer) -> None:
    bot = TelegramBot()
    manager = manage(telegram_bot=bot, telegram_chat_id=1)

    async def application() -> object:
        await manager.alert_critical_error("bad")
        return asyncio.get_running_loop()

    loop = asyncio.run(application())
    assert bot.loops == [loop]


def test_the_same_alert_goes_directly_once_and_each_reaches_the_console(
    manage: Make, away: ConsoleServer
) -> None:
    bot = OwnBot()
    manager = manage(telegram_bot=bot)
    results = [manager.alert_critical_error_sync("bad", {"try": number}) for number in range(3)]
    other = manager.alert_critical_error_sync("worse")
    assert [result.sent_directly for result in (*results, other)] == [True, False, False, True]
    assert "the same alert was sent directly a moment ago" in results[1].reason
    assert len(bot.sent) == 2
    away.start()
    assert manager.flush()
    assert away.titles() == ["bad", "bad", "bad", "worse"]


def test_no_flood_goes_directly(manage: Make, away: ConsoleServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsclient.alerts.direct.PER_MINUTE", 3)
    bot = OwnBot()
    manager = manage(telegram_bot=bot)
    results = [manager.alert_critical_error_sync(f"bad {number}") for number in range(5)]
    assert [result.sent_directly for result in results] == [True, True, True, False, False]
    assert "must wait" in results[3].reason
    assert len(bot.sent) == 3


def test_a_bot_that_fails_is_tried_again_and_tells_no_secret(
    manage: Make,
    away: ConsoleServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("opsclient.alerts.direct.AGAIN_S", 0.05)
    tries: list[str] = []

    async def send(text: str) -> None:
        tries.append(text)
        if len(tries) == 1:
            raise OSError("https://api.telegram.org/bot123456:AA-secret/sendMessage: timed out")

    manager = manage(telegram_bot=send)
    result = manager.alert_critical_error_sync("bad")
    assert not result.sent_directly
    assert "telegram_bot failed (OSError" in result.reason
    desk = manager._desk
    assert desk is not None
    eventually(lambda: desk.queue.entries()[0].sent_directly, "it is sent in the end")
    assert len(tries) == 2
    assert "AA-secret" not in caplog.text + result.reason
    away.start()
    assert manager.flush()
    assert away.alerts[0]["sent_directly"] is True


def test_one_bot_that_hangs_does_not_hold_up_the_other(manage: Make, away: ConsoleServer) -> None:
    free, slack = threading.Event(), SlackWebhook()

    def hang(_text: str) -> None:
        free.wait(20)

    result = manage(telegram_bot=hang, slack_client=slack).alert_critical_error_sync("bad")
    free.set()
    assert result.sent_directly
    assert len(slack.sent) == 1
