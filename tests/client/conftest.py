"""Fixtures of the client's tests: a real loopback console, and clients that are closed afterwards."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opsclient import OpsConsole
from opsclient.circuit_breaker import CircuitBreakerManager
from opsclient.metrics import MetricsCollector
from opsclient.smart_alerts import SmartAlertManager

from tests.client.console_server import ConsoleServer


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in (
        "URL",
        "TOKEN",
        "TOKEN_FILE",
        "NAME",
        "SCOPES",
        "HALT_FILE",
        "CA_FILE",
        "ON_CONTACT_LOST",
        "TELEGRAM_CHAT_ID",
        "SLACK_CHANNEL",
    ):
        monkeypatch.delenv(f"OPSCLIENT_{variable}", raising=False)
    # Nobody's home folder.
    monkeypatch.setenv("OPSCLIENT_SPOOL_DIR", str(tmp_path / "spool"))


@pytest.fixture
def server() -> Iterator[ConsoleServer]:
    console = ConsoleServer()
    console.start()
    yield console
    console.stop()


@pytest.fixture
def connect(server: ConsoleServer) -> Iterator[Callable[..., OpsConsole]]:
    """Makes clients of the server, not yet waited for."""
    made: list[OpsConsole] = []

    def make(**arguments: Any) -> OpsConsole:
        console = OpsConsole(server.url, **{"token": server.token, "name": "AAPL", **arguments})
        made.append(console)
        return console

    yield make
    for console in made:
        console.close(timeout=0.5)


@pytest.fixture
def console(connect: Callable[..., OpsConsole]) -> OpsConsole:
    """A client that holds a lease."""
    made = connect()
    assert made.wait_until_live()
    return made


@pytest.fixture
def breakers(console: OpsConsole) -> CircuitBreakerManager:
    """Makes circuit breakers that follow the console's stream."""
    return CircuitBreakerManager(console=console)


@pytest.fixture
def manage(
    server: ConsoleServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., SmartAlertManager]]:
    """Makes managers of alerts whose console, by the environment, is the server."""
    monkeypatch.setenv("OPSCLIENT_URL", server.url)
    monkeypatch.setenv("OPSCLIENT_TOKEN", str(server.token))
    made: list[SmartAlertManager] = []

    def make(**arguments: Any) -> SmartAlertManager:
        manager = SmartAlertManager(**{"name": "desk", **arguments})
        made.append(manager)
        return manager

    yield make
    for manager in made:
        manager.close(timeout=0.5)


@pytest.fixture
def manager(manage: Callable[..., SmartAlertManager]) -> SmartAlertManager:
    """A manager of alerts with a console that answers."""
    return manage()


@pytest.fixture
def collect(
    server: ConsoleServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., MetricsCollector]]:
    """Makes collectors of metrics whose console, by the environment, is the server."""
    monkeypatch.setenv("OPSCLIENT_URL", server.url)
    monkeypatch.setenv("OPSCLIENT_TOKEN", str(server.token))
    made: list[MetricsCollector] = []

    def make(**arguments: Any) -> MetricsCollector:
        collector = MetricsCollector(**{"client": "desk", **arguments})
        made.append(collector)
        return collector

    yield make
    for collector in made:
        collector.close(timeout=0.5)


@pytest.fixture
def collector(collect: Callable[..., MetricsCollector]) -> MetricsCollector:
    """A collector of metrics with a console that answers."""
    return collect()
