"""The guide's own code (§§5.3, 5.4 and 10), verbatim but for the import's prefix."""

import asyncio
import logging
from typing import Any

import pytest
from opsclient import KillSwitch as TheKillSwitch
from opsclient import OpsConsole

from tests.client.console_server import ConsoleServer, eventually

logger = logging.getLogger("guide")


class HTTPException(Exception):  # the guide's name
    pass


CONFIGURE = """
from opsclient.circuit_breaker import KillSwitch, KillSwitchReason

kill_switch = KillSwitch(
    alert_manager=alert_manager,
    auto_cancel_orders=False,   # Manually cancel orders
    auto_close_positions=False, # Manually close positions
)

# Register callbacks
async def on_kill_switch_activate(reason, message, metadata):
    logger.critical(f"Kill switch activated: {reason}")
    # Cancel all pending orders
    await cancel_all_orders()

kill_switch.register_on_activate(on_kill_switch_activate)
"""

USE = """
async def use():
    # Activate kill switch
    await kill_switch.activate(
        reason=KillSwitchReason.DAILY_LOSS_LIMIT,
        message="Daily loss exceeded -5%",
        metadata={"daily_pnl": -5234.56, "limit": -5000.00}
    )

    # Check if trading allowed
    if not kill_switch.is_trading_allowed():
        raise HTTPException(400, "Trading halted by kill switch")

async def resume():
    # Deactivate
    await kill_switch.deactivate(
        message="Manual recovery after fixing data issue"
    )
"""

FORCE = """
# Check kill switch status
status = kill_switch.get_status()
print(status)

# Force deactivate
kill_switch.is_active = False  # Emergency override
"""


def run_guide(names: dict[str, Any]) -> list[str]:
    cancelled: list[str] = []

    async def cancel_all_orders() -> None:
        cancelled.append("all")

    names.update(
        alert_manager=None, logger=logger, cancel_all_orders=cancel_all_orders, HTTPException=HTTPException
    )
    exec(CONFIGURE, names)
    exec(USE, names)
    return cancelled


def test_in_the_process_alone(caplog: pytest.LogCaptureFixture) -> None:
    names: dict[str, Any] = {}
    cancelled = run_guide(names)
    with pytest.raises(HTTPException):
        asyncio.run(names["use"]())
    assert cancelled == ["all"]
    assert "Kill switch activated: DAILY_LOSS_LIMIT" in caplog.text
    asyncio.run(names["resume"]())
    assert names["kill_switch"].is_trading_allowed()


def test_the_emergency_override(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    run_guide(names)
    with pytest.raises(HTTPException):
        asyncio.run(names["use"]())
    exec(FORCE, names)
    assert "Daily loss exceeded -5%" in capsys.readouterr().out
    assert names["kill_switch"].is_trading_allowed()


def test_with_a_console(server: ConsoleServer, console: OpsConsole) -> None:
    names: dict[str, Any] = {}
    cancelled = run_guide(names)
    switch = names["kill_switch"] = TheKillSwitch(console)
    switch.register_on_activate(names["on_kill_switch_activate"])
    with pytest.raises(HTTPException):
        asyncio.run(names["use"]())
    server.wait_acked(1)
    assert cancelled == ["all"]
    asyncio.run(names["resume"]())
    eventually(switch.is_trading_allowed)
