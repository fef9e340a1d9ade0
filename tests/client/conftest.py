"""Fixtures of the client's tests: a real loopback console, and clients that are closed afterwards."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opsclient import OpsConsole

from tests.client.console_server import ConsoleServer


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (
        "URL",
        "TOKEN",
        "TOKEN_FILE",
        "NAME",
        "SCOPES",
        "HALT_FILE",
        "CA_FILE",
        "ON_CONTACT_LOST",
    ):
        monkeypatch.delenv(f"OPSCLIENT_{variable}", raising=False)


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
