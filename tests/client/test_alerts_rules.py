"""A rule that the process changes is the console's to take; what it does not take works here as far as it can, and is said."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from opsclient.smart_alerts import (
    AlertCategory,
    AlertDecision,
    AlertPriority,
    AlertRule,
    RuleUpdate,
    SmartAlertManager,
)

from tests.client.console_server import ConsoleServer, eventually

Make = Callable[..., SmartAlertManager]
SIGNALS = AlertRule(
    category=AlertCategory.TRADING_SIGNAL,
    min_priority=AlertPriority.HIGH,
    max_per_hour=10,
    dedupe_window_minutes=30,
)


def test_without_the_right_only_the_minimum_works_and_that_is_said(
    manager: SmartAlertManager, server: ConsoleServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.may_tune = False
    update = manager.update_rule(SIGNALS)
    assert (update.applied, update.pending, bool(update)) == (False, False, False)
    assert "may not tune rules" in update.reason
    assert "min_priority works in this process alone" in update.reason
    assert "Not in force: max_per_hour, dedupe_window_minutes" in update.reason
    assert update.reason in caplog.text
    held = manager.alert_trading_signal_sync("AAPL", "BUY", 0.85)
    assert (held.decision, bool(held)) == (AlertDecision.UNSENT, False)
    assert "below the minimum priority HIGH that this process has set" in held.reason
    assert held.trace[0]["gate"] == "minimum_priority"
    assert server.alerts == []


def test_the_minimum_of_this_process_holds_back_nothing_else(
    manager: SmartAlertManager, server: ConsoleServer
) -> None:
    server.may_tune = False
    manager.update_rule(SIGNALS)
    assert manager.send_alert_sync("TRADING_SIGNAL", "sell", priority=AlertPriority.HIGH).sent
    assert manager.send_alert_sync("TRADING_SIGNAL", "sell", force=True).sent
    assert manager.resolve_sync("TRADING_SIGNAL", title="sell").decision is AlertDecision.RESOLVED
    assert manager.send_alert_sync("PERFORMANCE", "slow").sent


def test_what_the_console_takes_is_the_consoles_alone(
    manager: SmartAlertManager, server: ConsoleServer
) -> None:
    update = manager.update_rule(SIGNALS)
    assert update == RuleUpdate(AlertCategory.TRADING_SIGNAL, True, False, "the console works by it")
    reason = "asked for by the trading process desk"
    changed = {"min_priority": "HIGH", "max_per_hour": 10, "dedupe_window_minutes": 30, "reason": reason}
    assert server.rules == {"TRADING_SIGNAL": changed}
    server.decision = "BELOW_MINIMUM"
    assert manager.alert_trading_signal_sync("AAPL", "BUY").decision is AlertDecision.BELOW_MINIMUM


def test_a_rule_the_console_cannot_take_says_why(manager: SmartAlertManager, server: ConsoleServer) -> None:
    body = {"error": {"code": "invalid", "message": "max_per_hour: too many", "details": {}}}
    server.post_answer = lambda handler, _path, _data: handler.answer(400, body)
    update = manager.update_rule(AlertRule(AlertCategory.COST_ALERT, max_per_hour=9))
    assert (update.applied, update.pending) == (False, False)
    assert "max_per_hour: too many" in update.reason


def test_while_the_console_is_away_it_is_asked_for_again_until_it_answers(
    manage: Make, server: ConsoleServer
) -> None:
    server.stop()
    manager = manage(wait_s=0.1)
    update = manager.update_rule(SIGNALS)
    assert (update.applied, update.pending) == (False, True)
    assert manager.alert_trading_signal_sync("AAPL", "BUY").decision is AlertDecision.UNSENT
    server.start()
    eventually(lambda: server.rules, "the rule is taken")
    eventually(lambda: manager.alert_trading_signal_sync("AAPL", "BUY").sent, "the minimum is the console's")


def test_inside_a_running_loop_it_does_not_wait(manage: Make, server: ConsoleServer) -> None:
    manager, go_on = manage(wait_s=60), threading.Event()

    def late(*_: object) -> bool:
        go_on.wait(30)
        return False

    server.post_answer = late

    async def application() -> RuleUpdate:
        return manager.update_rule(SIGNALS)

    assert asyncio.run(application()).pending
    go_on.set()
    eventually(lambda: server.rules, "the rule is taken")


def test_without_a_console_only_the_minimum_works() -> None:
    with SmartAlertManager() as manager:
        update = manager.update_rule(SIGNALS)
        assert not update
        assert "no console" in update.reason
        assert "below the minimum" in manager.alert_trading_signal_sync("AAPL", "BUY").reason


def test_quiet_hours_of_its_own_are_asked_for_in_every_category(manage: Make, server: ConsoleServer) -> None:
    manage()
    manage(quiet_hours_start=20, quiet_hours_end=8)
    eventually(lambda: len(server.rules) == len(AlertCategory), "every rule is taken")
    assert {(rule["quiet_start"], rule["quiet_end"]) for rule in server.rules.values()} == {(20, 8)}
    assert len(server.posts) == len(AlertCategory)  # the usual hours ask for nothing
