"""A stop made by the process itself: at once here, then everywhere."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opsclient import KillSwitch, KillSwitchReason, OpsConsole

from tests.client.console_server import ConsoleServer, Handler, eventually


def posts_to(server: ConsoleServer, name: str) -> list[tuple[dict[str, Any], dict[str, str]]]:
    return [(data, headers) for path, data, headers in list(server.posts) if path == name]


def test_the_process_stops_before_the_console_is_asked(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    allowed_when_asked: list[bool] = []

    def note(_handler: Handler, path: str, _data: dict[str, Any]) -> bool:
        if path == "activate":
            allowed_when_asked.append(switch.is_trading_allowed())
        return False

    server.post_answer = note
    status = switch.activate_sync(
        KillSwitchReason.DAILY_LOSS_LIMIT, message="Daily loss exceeded -5%", metadata={"daily_pnl": -5234.56}
    )
    assert allowed_when_asked == [False]
    assert status["delivered"] is True
    assert status["is_active"] is True
    assert status["trading_allowed"] is False
    assert (status["reason"], status["message"]) == ("DAILY_LOSS_LIMIT", "Daily loss exceeded -5%")
    ((sent, headers),) = posts_to(server, "activate")
    assert sent == {
        "reason": "DAILY_LOSS_LIMIT",
        "message": "Daily loss exceeded -5%",
        "metadata": {"daily_pnl": -5234.56},
        "scope": "global",
        "mode": "HALTED",
    }
    assert len(headers["Idempotency-Key"]) == 32


def test_without_a_console_it_stays_stopped_and_is_delivered_later(
    server: ConsoleServer, console: OpsConsole
) -> None:
    switch = KillSwitch(console)
    server.stop()
    status = switch.activate_sync("VOLATILITY", "wild")
    assert status["delivered"] is False
    assert "127.0.0.1" in status["delivery_error"]
    assert status["undelivered"][0]["scope"] == "global"
    assert not switch.is_trading_allowed()
    server.start()
    activation = server.wait_acked(1)["activations"]
    assert activation == [1]
    eventually(lambda: not switch.get_status()["undelivered"])
    assert not switch.is_trading_allowed()
    assert len({headers["Idempotency-Key"] for _, headers in posts_to(server, "activate")}) == 1
    server.rearm()
    eventually(switch.is_trading_allowed)


def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    server: ConsoleServer, console: OpsConsole
) -> None:
    lost: list[str] = []

    def lose_the_first_two(handler: Handler, path: str, _data: dict[str, Any]) -> bool:
        if path != "activate" or len(lost) == 2:
            return False
        lost.append(handler.headers["Idempotency-Key"])
        handler.connection.close()
        handler.close_connection = True
        return True

    server.post_answer = lose_the_first_two
    KillSwitch(console).activate_sync("MANUAL", "m", wait_s=0)
    server.wait_acked(1)
    keys = {headers["Idempotency-Key"] for _, headers in posts_to(server, "activate")}
    assert keys == set(lost)


def test_a_stop_that_the_console_refuses_holds_here(server: ConsoleServer, console: OpsConsole) -> None:
    def refuse(handler: Handler, path: str, _data: dict[str, Any]) -> bool:
        return path == "activate" and handler.answer(
            403, {"error": {"code": "forbidden", "message": "not you"}}
        )

    server.post_answer = refuse
    switch = KillSwitch(console)
    status = switch.activate_sync("MANUAL", "m")
    assert status["delivered"] is False
    assert "not you" in status["delivery_error"]
    assert not switch.is_trading_allowed()
    server.wait_report(lambda r: r["local_stop"] == {"reason": "MANUAL", "message": "m"})


def test_callbacks_run_once_for_a_stop_that_comes_back_by_the_stream(
    server: ConsoleServer, console: OpsConsole
) -> None:
    switch = KillSwitch(console)
    calls: list[str] = []
    switch.register_on_activate(lambda reason, _message, _metadata: calls.append(reason))
    switch.activate_sync("VOLATILITY", "wild")
    server.wait_acked(1)
    report = server.wait_report(lambda r: r["callbacks"])
    assert report["callbacks"][0]["activation"] == 1
    assert calls == ["VOLATILITY"]


def test_results_wait_until_the_console_knows_the_stop(server: ConsoleServer, console: OpsConsole) -> None:
    refusing = threading.Event()
    refusing.set()

    def refuse(handler: Handler, path: str, _data: dict[str, Any]) -> bool:
        return path == "activate" and refusing.is_set() and handler.answer(503, {})

    server.post_answer = refuse
    switch = KillSwitch(console)
    switch.register_on_activate(lambda *_: None)
    assert switch.activate_sync("MANUAL", "m")["delivered"] is False
    early = server.wait_report(lambda r: r["local_stop"])
    assert early["callbacks"] == []
    refusing.clear()
    report = server.wait_report(lambda r: r["callbacks"])
    assert report["callbacks"][0]["activation"] == 1


def test_stopping_twice_is_one_stop(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    calls: list[str] = []
    switch.register_on_activate(lambda reason, _message, _metadata: calls.append(reason))
    server.wait_acked(server.halt())
    eventually(lambda: calls)
    assert switch.activate_sync("VOLATILITY", "wild")["delivered"] is True
    switch.activate_sync("VOLATILITY", "wild")
    assert calls == ["MANUAL"]


def test_odd_words_stop_with_a_warning(server: ConsoleServer, console: OpsConsole) -> None:
    status = KillSwitch(console).activate_sync("BECAUSE", scope="desk:7", metadata={"x": {1, 2}})
    assert len(status["warnings"]) == 2
    assert status["reason"] == "MANUAL"
    ((sent, _),) = posts_to(server, "activate")
    assert sent["metadata"] == {"x": [1, 2], "sent": {"reason": "BECAUSE", "scope": "desk:7"}}


def test_one_scope_stops_and_the_others_trade_on(
    server: ConsoleServer, connect: Callable[..., OpsConsole]
) -> None:
    console = connect(scopes=("symbol:AAPL", "symbol:IBM"))
    assert console.wait_until_live()
    switch = KillSwitch(console)
    switch.activate_sync("RISK_THRESHOLD", "too much", scope="symbol:GOOG")
    assert switch.is_trading_allowed()
    assert switch.is_trading_allowed(symbol="IBM")
    assert not switch.is_trading_allowed(symbol="GOOG")
    switch.activate_sync("RISK_THRESHOLD", "too much", scope="strategy:momentum", mode="REDUCE_ONLY")
    assert not switch.is_trading_allowed(symbol="IBM")
    assert switch.is_trading_allowed(symbol="IBM", strategy="pairs")
    assert switch.is_trading_allowed(symbol="IBM", strategy="momentum", reduce_only=True)


def test_activate_in_a_running_loop_does_not_block_it(server: ConsoleServer, console: OpsConsole) -> None:
    release = threading.Event()

    def slow(_handler: Handler, path: str, _data: dict[str, Any]) -> bool:
        if path == "activate":
            release.wait(5)
        return False

    server.post_answer = slow

    async def main() -> dict[str, Any]:
        switch = KillSwitch(console)
        task = asyncio.create_task(switch.activate("MANUAL", "m"))
        await asyncio.sleep(0)
        assert not switch.is_trading_allowed()
        await asyncio.sleep(0.05)
        assert not task.done()
        release.set()
        return await task

    assert asyncio.run(main())["delivered"] is True


@pytest.mark.parametrize("manager", ["sync", "async", "broken", "none"])
def test_the_alert_manager_is_told_of_stops_made_here(manager: str) -> None:
    told: list[tuple[str, dict[str, Any]]] = []

    class Sync:
        def alert_critical_error(self, error: str, details: dict[str, Any]) -> None:
            told.append((error, details))

    class Async:
        async def alert_critical_error(self, error: str, details: dict[str, Any]) -> None:
            told.append((error, details))

    class Broken:
        def alert_critical_error(self, error: str, details: dict[str, Any]) -> None:
            told.append((error, details))
            raise RuntimeError("telegram is down")

    kinds = {"sync": Sync(), "async": Async(), "broken": Broken(), "none": object()}
    switch = KillSwitch(alert_manager=kinds[manager])
    switch.activate_sync("MANUAL", "m", metadata={"a": 1})
    assert not switch.is_trading_allowed()
    if manager != "none":
        eventually(lambda: told)
        assert told[0][0] == "Kill switch activated: m"
        assert told[0][1] == {"reason": "MANUAL", "scope": "global", "a": 1}
