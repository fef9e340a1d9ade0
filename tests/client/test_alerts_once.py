"""Each alert is taken exactly once, whatever the network does, and whoever raises one is not held up."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opsclient.smart_alerts import AlertDecision, AlertResult, SmartAlertManager

from tests.client.answers import answer
from tests.client.console_server import ConsoleServer, Handler, eventually

Make = Callable[..., SmartAlertManager]


@pytest.fixture
def hung(server: ConsoleServer) -> Iterator[threading.Event]:
    """A console that takes a request and says nothing until this is set."""
    free = threading.Event()

    def hang(_handler: Handler, _path: str, _data: dict[str, Any]) -> bool:
        free.wait(20)
        return False

    server.post_answer = hang
    yield free
    server.post_answer = None
    free.set()


def lose_the_answer(handler: Handler, path: str, data: dict[str, Any]) -> bool:
    """Carry it out, and hang up in place of answering; the next time all is well."""
    if path == "alerts":
        handler.console.post_answer = None
        handler.console.take_alerts(data, handler.headers["Idempotency-Key"])
        handler.close_connection = True
        return True
    return False


def test_a_lost_answer_is_not_a_second_alert(manage: Make, server: ConsoleServer) -> None:
    server.post_answer = lose_the_answer
    result = manage().alert_trading_signal_sync("AAPL", "BUY", 0.85)
    assert result.sent
    assert server.titles() == ["BUY AAPL"]
    first, second = [headers["Idempotency-Key"] for path, _, headers in server.posts if path == "alerts"]
    assert first == second


@pytest.mark.parametrize("status", [500, 503, 429, 401, 403, 404])
def test_while_the_console_refuses_alerts_wait_and_say_why(
    manage: Make, server: ConsoleServer, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsclient.alerts.sender.REFUSED_PAUSE_S", 0.05)
    server.post_answer = answer(status, message="not now")
    manager = manage()
    result = manager.alert_trading_signal_sync("AAPL", "BUY", 0.85)
    assert (result.decision, result.queued, bool(result)) == (AlertDecision.QUEUED, True, False)
    assert f"{status}: not now" in result.reason
    assert f"{status}: not now" in manager.problem
    server.post_answer = None
    assert manager.flush()
    assert server.titles() == ["BUY AAPL"]
    assert manager.problem == ""


def test_an_answer_of_something_else_is_no_answer(manage: Make, server: ConsoleServer) -> None:
    server.post_answer = lambda handler, _path, _data: handler.answer(200, "<html>", kind="text/html")
    manager = manage()
    assert "not that of an opsconsole" in manager.alert_data_quality_sync("yahoo", "stale").reason
    server.post_answer = None
    assert manager.flush()
    assert len(server.alerts) == 1


@pytest.mark.parametrize(
    "data", [{}, {"accepted": []}, {"accepted": [3]}, {"accepted": [{"index": 1}], "rejected": {}}]
)
def test_an_answer_without_decisions_counts_as_taken(
    manage: Make, server: ConsoleServer, data: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    server.post_answer = lambda handler, _path, _data: handler.answer(200, data)
    manager = manage()
    assert manager.alert_data_quality_sync("yahoo", "stale").decision is AlertDecision.UNSENT
    assert manager.pending == 0
    assert "cannot be read" in caplog.text


def test_a_bad_alert_is_given_up_and_the_others_go_on(
    manage: Make, server: ConsoleServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.stop()
    manager = manage()
    for title in ("first", "poison", "third"):
        manager.send_alert_sync("PERFORMANCE", "slow", title=title)
    server.start()
    assert manager.flush()
    eventually(lambda: len(server.alerts) == 3, "the loss is told")
    assert server.titles() == ["first", "third", "Alerts of desk were lost"]
    assert "title: bad" in caplog.text
    refused = manager.send_alert_sync("PERFORMANCE", "slow", title="poison")
    assert refused.decision is AlertDecision.REFUSED
    assert "title: bad" in refused.reason


def test_a_console_that_refuses_everything_is_not_told_of_losses_for_ever(
    manage: Make, server: ConsoleServer
) -> None:
    server.post_answer = answer(400, "invalid", "never")
    manager = manage()
    assert manager.send_alert_sync("PERFORMANCE", "slow").decision is AlertDecision.REFUSED
    eventually(lambda: len(server.posts) == 2 and manager.pending == 0, "the loss is refused, too")
    server.post_answer = None
    assert manager.send_alert_sync("PERFORMANCE", "later").sent
    assert [data["alerts"][0]["title"] for _, data, _ in server.posts] == [
        "slow",
        "Alerts of desk were lost",
        "later",
    ]


def test_an_alert_that_breaks_the_console_does_not_block_the_others(
    manage: Make, server: ConsoleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsclient.alerts.sender.MOST_FAILURES", 2)

    def breaks(handler: Handler, _path: str, data: dict[str, Any]) -> bool:
        if "alerts" in data and "bomb" in data["alerts"][0]["title"]:
            return handler.answer(500, {"error": {"code": "internal_error", "message": "!", "details": {}}})
        return False

    server.post_answer = breaks
    manager = manage()
    manager.send_alert_sync("PERFORMANCE", "slow", title="bomb")
    manager.send_alert_sync("PERFORMANCE", "slow", title="after it")
    assert manager.flush()
    eventually(lambda: set(server.titles()) == {"after it", "Alerts of desk were lost"}, "the loss is told")


def test_a_clock_that_the_console_does_not_believe_costs_no_alert(
    manage: Make, server: ConsoleServer, caplog: pytest.LogCaptureFixture
) -> None:
    def strict(handler: Handler, _path: str, data: dict[str, Any]) -> bool:
        if any("occurred_at" in alert for alert in data["alerts"]):
            details = {"alerts[0]": "occurred_at: lies in the future"}
            return handler.answer(400, {"error": {"code": "invalid", "message": "None.", "details": details}})
        return False

    server.post_answer = strict
    assert manage().alert_data_quality_sync("yahoo", "stale").sent
    assert "goes without it" in caplog.text


# Nobody is held up


def test_an_answer_that_does_not_come_is_not_waited_for(
    manage: Make, server: ConsoleServer, hung: threading.Event
) -> None:
    manager = manage(wait_s=0.1)
    result = asyncio.run(manager.alert_trading_signal("AAPL", "BUY", 0.85))
    assert (result.decision, bool(result)) == (AlertDecision.QUEUED, False)
    assert "not decided yet" in result.reason
    hung.set()
    assert manager.flush()
    assert server.titles() == ["BUY AAPL"]


def test_inside_a_running_loop_the_plain_call_does_not_wait(
    manage: Make, server: ConsoleServer, hung: threading.Event
) -> None:
    manager = manage(wait_s=60)

    async def in_a_loop() -> AlertResult:
        return manager.alert_trading_signal_sync("AAPL", "BUY", 0.85)

    result = asyncio.run(in_a_loop())
    assert result.queued
    assert "not decided yet" in result.reason  # no failure of a request was waited for either
    hung.set()
    assert manager.flush()
    assert len(server.alerts) == 1


def test_giving_up_the_wait_does_not_take_the_alert_back(
    manage: Make, server: ConsoleServer, hung: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    manager = manage(wait_s=60)

    async def impatient() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(manager.alert_trading_signal("AAPL", "BUY", 0.85), 0.05)

    asyncio.run(impatient())
    hung.set()
    assert manager.flush()
    assert server.titles() == ["BUY AAPL"]
    assert "exception calling callback" not in caplog.text


def test_threads_and_tasks_at_once_are_each_answered(manage: Make, server: ConsoleServer) -> None:
    manager = manage()
    ids: list[int | None] = []

    def raise_some(thread: int) -> None:
        for number in range(20):
            result = manager.send_alert_sync("PERFORMANCE", "slow", title=f"{thread} {number}")
            ids.append(result.alert_id)

    async def raise_more() -> None:
        calls = [manager.send_alert("PERFORMANCE", "slow", title=f"task {n}") for n in range(100)]
        ids.extend(result.alert_id for result in await asyncio.gather(*calls))

    threads = [threading.Thread(target=raise_some, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    asyncio.run(raise_more())
    for thread in threads:
        thread.join(20)
    assert sorted(number or 0 for number in ids) == list(range(1, 181))
    assert len(set(server.titles())) == 180
