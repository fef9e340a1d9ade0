"""The guide's own code on alerts (§§3.4, 3.5 and 10, with the kill switch of 5.3), verbatim but for the import's prefix."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from opsclient.smart_alerts import AlertCategory, AlertPriority, SmartAlertManager

from tests.client.console_server import ConsoleServer, eventually

CONFIGURE = """
# In main.py or configuration file
from opsclient.smart_alerts import SmartAlertManager, AlertRule

alert_manager = SmartAlertManager(
    telegram_bot=telegram_bot,
    slack_client=slack_client,
    quiet_hours_start=22,  # 10 PM
    quiet_hours_end=7,     # 7 AM
)

# Customize alert rules
alert_manager.update_rule(AlertRule(
    category=AlertCategory.TRADING_SIGNAL,
    min_priority=AlertPriority.HIGH,  # Only high+ priority
    max_per_hour=10,                   # Max 10 per hour
    dedupe_window_minutes=30,          # 30 min dedupe window
))
"""

SEND = """
async def send():
    # Critical error (force send)
    await alert_manager.alert_critical_error(
        error="Database connection lost",
        details={"database": "timescaledb", "retry_count": 3}
    )

    # Trading signal
    await alert_manager.alert_trading_signal(
        ticker="AAPL",
        signal="BUY",
        confidence=0.85,
        details={"target_price": 195.00}
    )

    # Risk warning
    await alert_manager.alert_risk_warning(
        ticker="TSLA",
        risk_type="volatility",
        risk_score=0.9,
        message="Volatility exceeded 50% threshold"
    )
"""

TOO_MANY = """
# Increase rate limits
alert_manager.update_rule(AlertRule(
    category=AlertCategory.TRADING_SIGNAL,
    max_per_hour=5,  # Reduce from 20
    dedupe_window_minutes=60,  # Increase from 15
))
"""

KILL_SWITCH = """
from opsclient.circuit_breaker import KillSwitch, KillSwitchReason

kill_switch = KillSwitch(
    alert_manager=alert_manager,
    auto_cancel_orders=False,   # Manually cancel orders
    auto_close_positions=False, # Manually close positions
)

async def use():
    # Activate kill switch
    await kill_switch.activate(
        reason=KillSwitchReason.DAILY_LOSS_LIMIT,
        message="Daily loss exceeded -5%",
        metadata={"daily_pnl": -5234.56, "limit": -5000.00}
    )
"""


class Bot:
    """As python-telegram-bot's; the guide gives it no chat."""

    async def send_message(self, chat_id: object, text: str) -> None:
        raise AssertionError


class Slack:
    def chat_postMessage(self, *, channel: str, text: str) -> None:  # noqa: N802
        raise AssertionError


@pytest.fixture
def guide(manage: Callable[..., SmartAlertManager]) -> Any:
    """The names that the guide's code defines; it closes its manager."""
    manage()  # for the environment of one console
    # The guide's snippet does not import these two; whoever runs it must.
    names: dict[str, Any] = {"AlertCategory": AlertCategory, "AlertPriority": AlertPriority}
    names |= {"telegram_bot": Bot(), "slack_client": Slack()}
    exec(CONFIGURE, names)
    exec(SEND, names)
    yield names
    names["alert_manager"].close()


def test_the_alerts_of_the_guide(guide: dict[str, Any], server: ConsoleServer) -> None:
    asyncio.run(guide["send"]())
    assert server.titles() == ["Database connection lost", "BUY AAPL", "Risk: volatility of TSLA"]
    error, signal, risk = server.alerts
    assert (error["priority"], error["force"], error["details"]["retry_count"]) == ("CRITICAL", True, 3)
    assert (signal["labels"]["ticker"], signal["details"]["target_price"]) == ("AAPL", 195.0)
    assert (risk["category"], risk["message"]) == ("RISK_WARNING", "Volatility exceeded 50% threshold")


def test_the_rules_of_the_guide(guide: dict[str, Any], server: ConsoleServer) -> None:
    exec(TOO_MANY, guide)
    rule = server.rules["TRADING_SIGNAL"]
    assert (rule["min_priority"], rule["max_per_hour"], rule["dedupe_window_minutes"]) == ("HIGH", 5, 60)


def test_the_rules_of_the_guide_where_the_console_keeps_its_own(
    guide: dict[str, Any], server: ConsoleServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.may_tune = False
    exec(TOO_MANY, guide)
    assert "the rule of TRADING_SIGNAL is not changed on the console" in caplog.text


def test_the_guide_runs_where_there_is_no_console(monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {"AlertCategory": AlertCategory, "AlertPriority": AlertPriority}
    names |= {"telegram_bot": None, "slack_client": None}
    for code in (CONFIGURE, SEND, TOO_MANY):
        exec(code, names)
    asyncio.run(names["send"]())
    names["alert_manager"].close()


def test_a_stop_of_this_process_is_an_alert(guide: dict[str, Any], server: ConsoleServer) -> None:
    exec(KILL_SWITCH, guide)
    asyncio.run(guide["use"]())
    eventually(lambda: server.alerts, "the stop is told")
    (alert,) = server.alerts
    assert alert["title"] == "Kill switch activated: Daily loss exceeded -5%"
    assert alert["details"]["reason"] == "DAILY_LOSS_LIMIT"
    guide["kill_switch"].close()
