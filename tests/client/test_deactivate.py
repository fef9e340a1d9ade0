"""Re-arming: the strict side."""

import asyncio
from typing import Any

import pytest
from opsclient import ConsoleUnreachable, KillSwitch, NotActive, OpsConsole, PermissionDenied, Refused

from tests.client.console_server import ConsoleServer, Handler


def answers(status: int) -> Any:
    def answer(handler: Handler, path: str, _data: dict[str, Any]) -> bool:
        return path == "deactivate" and handler.answer(status, {"error": {"code": "no", "message": "no way"}})

    return answer


@pytest.mark.parametrize(
    ("status", "error"), [(401, PermissionDenied), (403, PermissionDenied), (422, Refused)]
)
def test_refused(server: ConsoleServer, console: OpsConsole, status: int, error: type[Exception]) -> None:
    switch = KillSwitch(console)
    server.wait_acked(server.halt())
    server.post_answer = answers(status)
    with pytest.raises(error, match="no way"):
        switch.deactivate_sync("fixed")
    assert not switch.is_trading_allowed()


def test_not_active(console: OpsConsole) -> None:
    with pytest.raises(NotActive):
        KillSwitch(console).deactivate_sync("fixed")


def test_an_unreachable_console_lifts_nothing(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    server.stop()
    switch.activate_sync("MANUAL", "m")
    with pytest.raises(ConsoleUnreachable):
        switch.deactivate_sync("fixed")
    assert switch.is_active
    server.start()


def test_trading_is_allowed_when_it_returns(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    switch.activate_sync("MANUAL", "m")
    status = switch.deactivate_sync("fixed")
    assert status["trading_allowed"] is True
    assert switch.is_trading_allowed()
    ((_, sent, _),) = [post for post in server.posts if post[0] == "deactivate"]
    assert sent == {"message": "fixed", "scope": "global"}


def test_the_same_in_a_loop(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)

    async def main() -> None:
        await switch.activate("MANUAL", "m")
        assert not switch.is_trading_allowed()
        await switch.deactivate(message="fixed")
        assert switch.is_trading_allowed()

    asyncio.run(main())


def test_a_stop_that_only_this_process_knows_is_lifted_too(
    server: ConsoleServer, console: OpsConsole
) -> None:
    def never_activated(handler: Handler, path: str, _data: dict[str, Any]) -> bool:
        return path == "activate" and handler.answer(503, {})

    server.post_answer = never_activated
    switch = KillSwitch(console)
    switch.activate_sync("MANUAL", "m")
    assert switch.deactivate_sync("fixed")["trading_allowed"] is True
    assert switch.get_status()["undelivered"] == []


def test_in_the_process_alone() -> None:
    switch = KillSwitch()
    ended: list[str] = []
    switch.register_on_deactivate(lambda reason, *_: ended.append(reason))
    with pytest.raises(NotActive):
        switch.deactivate_sync("fixed")
    switch.activate_sync("DATA_QUALITY", "bad ticks")
    assert not switch.is_trading_allowed()
    with pytest.raises(NotActive, match="symbol:A"):
        switch.deactivate_sync("fixed", scope="symbol:A")
    assert switch.deactivate_sync("fixed")["trading_allowed"] is True
    assert switch.is_trading_allowed()
