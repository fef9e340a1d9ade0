"""The guide's own code on circuit breakers (§§4.3 and 4.4), verbatim but for the import's prefix."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from opsclient.circuit_breaker import CircuitBreakerOpenError
from opsclient.smart_alerts import SmartAlertManager

from tests.client.console_server import ConsoleServer, eventually

logger = logging.getLogger("guide")

CONFIGURE = """
from opsclient.circuit_breaker import (
    CircuitBreakerManager,
    CircuitConfig,
)

cb_manager = CircuitBreakerManager(alert_manager=alert_manager)

# Create circuit breaker for Yahoo Finance
yahoo_breaker = cb_manager.create_breaker(
    name="yahoo_finance",
    config=CircuitConfig(
        failure_threshold=5,      # Open after 5 failures
        success_threshold=2,       # Close after 2 successes
        timeout_seconds=60,        # Try half-open after 60s
    )
)
"""

USE = """
async def use():
    # Wrap external API calls
    try:
        result = await yahoo_breaker.call(
            fetch_stock_data,
            ticker="AAPL"
        )
    except CircuitBreakerOpenError:
        # Handle circuit open
        logger.warning("Yahoo Finance circuit is open")
        # Use cached data or return error
"""


def run_guide(alert_manager: Any) -> dict[str, Any]:
    """Yahoo Finance fails five times, and is called a sixth."""
    called: list[str] = []

    async def fetch_stock_data(ticker: str) -> None:
        called.append(ticker)
        raise ConnectionError("503 Service Unavailable")

    # The guide's snippet does not import the error; whoever runs it must.
    names = {"alert_manager": alert_manager, "CircuitBreakerOpenError": CircuitBreakerOpenError}
    names |= {"logger": logger, "fetch_stock_data": fetch_stock_data, "called": called}
    exec(CONFIGURE, names)
    exec(USE, names)
    for _ in range(5):
        with pytest.raises(ConnectionError):
            asyncio.run(names["use"]())
    asyncio.run(names["use"]())
    return names


def test_in_the_process_alone(caplog: pytest.LogCaptureFixture) -> None:
    names = run_guide(None)
    assert names["called"] == ["AAPL"] * 5
    assert "Yahoo Finance circuit is open" in caplog.text
    names["cb_manager"].reset_all()
    assert names["yahoo_breaker"].state == "CLOSED"


def test_with_a_console_the_breaker_is_seen_there(
    server: ConsoleServer, connect: Callable[..., Any], manage: Callable[..., SmartAlertManager]
) -> None:
    connect()
    names = run_guide(manage())
    eventually(lambda: server.breakers.seen("yahoo_finance"))
    server.breakers.reset("yahoo_finance")
    eventually(lambda: names["yahoo_breaker"].state == "CLOSED")
    assert server.alerts == [], "the console raises its own"
