"""Callbacks: once for each stop, apart from each other, and never in the way of the halt."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opsclient import ConfigurationError, KillSwitch, Mode, OpsConsole
from opsclient.gate import LocalStop
from opsclient.snapshot import Stop

from tests.client.console_server import ConsoleServer, eventually


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="callable"):
        KillSwitch().register_on_activate("cancel everything")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "error", [ValueError("no"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()]
)
def test_an_exception_stops_neither_the_halt_nor_the_others(
    server: ConsoleServer, console: OpsConsole, error: BaseException
) -> None:
    switch = KillSwitch(console)
    calls: list[str] = []

    def broken(*_: object) -> None:
        raise error

    switch.register_on_activate(broken)
    switch.register_on_activate(lambda *_: calls.append("second"))
    server.wait_acked(server.halt())
    assert not switch.is_trading_allowed()
    report = server.wait_report(lambda r: any(c["name"] == "broken" for c in r["callbacks"]))
    result = next(c for c in report["callbacks"] if c["name"] == "broken")
    assert result["ok"] is False
    assert type(error).__name__ in result["error"]
    eventually(lambda: calls)


def test_a_hanging_callback_delays_no_later_stop_and_no_other_callback(
    server: ConsoleServer, console: OpsConsole
) -> None:
    switch = KillSwitch(console)
    release = threading.Event()
    calls: list[str] = []
    switch.register_on_activate(lambda *_: release.wait(30))
    switch.register_on_activate(lambda *_: calls.append("other"))
    try:
        server.wait_acked(server.halt())
        server.rearm()
        eventually(switch.is_trading_allowed)
        server.wait_acked(server.halt())
        assert not switch.is_trading_allowed()
        eventually(lambda: calls == ["other", "other"])
    finally:
        release.set()


def test_a_stop_in_the_first_snapshot_runs_callbacks_registered_later(
    server: ConsoleServer, connect: Callable[..., OpsConsole]
) -> None:
    activation = server.halt()
    console = connect()
    server.wait_acked(activation)
    switch = KillSwitch(console, auto_cancel_orders=True)
    calls: list[str] = []
    switch.register_on_activate(lambda *_: calls.append("callback"))
    switch.register_cancel_orders(lambda: calls.append("orders"))
    eventually(lambda: sorted(calls) == ["callback", "orders"])


def test_once_for_each_activation_however_often_it_is_seen(
    server: ConsoleServer, console: OpsConsole
) -> None:
    switch = KillSwitch(console)
    calls: list[str] = []
    switch.register_on_activate(lambda _reason, message, _metadata: calls.append(message))
    server.wait_acked(server.halt(message="first"))
    server.halt("symbol:IBM", message="second")
    server.cut_streams()
    eventually(lambda: len(server.streams) == 2 and len(calls) == 2)
    server.rearm()
    server.rearm("symbol:IBM")
    eventually(switch.is_trading_allowed)
    server.wait_acked(server.halt(message="third"))
    eventually(lambda: len(calls) == 3)
    assert sorted(calls) == ["first", "second", "third"]


def test_a_stop_that_does_not_cover_the_process_runs_none(
    server: ConsoleServer, connect: Callable[..., OpsConsole]
) -> None:
    console = connect(scopes=("symbol:AAPL",))
    switch = KillSwitch(console)
    calls: list[str] = []
    switch.register_on_activate(lambda _reason, message, _metadata: calls.append(message))
    server.halt("symbol:IBM", message="other")
    activation = server.halt("symbol:AAPL", message="ours")
    assert server.wait_acked(activation)["activations"] == [activation]
    eventually(lambda: calls)
    assert calls == ["ours"]


def test_a_drill_is_acknowledged_and_trading_goes_on(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    calls: list[str] = []
    switch.register_on_activate(lambda *_: calls.append("called"))
    server.wait_acked(server.drill())
    eventually(switch.is_trading_allowed)
    assert calls == []


def test_async_callbacks_run_on_the_applications_loop(server: ConsoleServer, console: OpsConsole) -> None:
    where: list[Any] = []

    async def main() -> None:
        switch = KillSwitch(console)
        ran = asyncio.Event()

        async def callback(_reason: str, _message: str, _metadata: dict[str, Any]) -> None:
            where.append(asyncio.get_running_loop())
            ran.set()

        switch.register_on_activate(callback)
        server.halt()
        await asyncio.wait_for(ran.wait(), 10)
        assert where == [asyncio.get_running_loop()]

    asyncio.run(main())


def test_async_callbacks_without_a_loop_run_on_one_of_their_own() -> None:
    switch = KillSwitch()
    ran: list[str] = []

    async def callback(reason: str, message: str, metadata: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        ran.append(message)

    async def register() -> None:
        switch.register_on_activate(callback)

    asyncio.run(register())  # that loop has ended by the time of the stop
    switch.activate_sync("MANUAL", "m")
    assert ran == ["m"], "activate waits for the callbacks"


def test_a_blocked_loop_does_not_delay_the_stop(server: ConsoleServer, console: OpsConsole) -> None:
    async def main() -> None:
        switch = KillSwitch(console)

        async def callback(*_: object) -> None:
            raise AssertionError("the loop is blocked all the while")

        switch.register_on_activate(callback)
        server.wait_acked(server.halt())  # blocks this loop
        assert not switch.is_trading_allowed()

    asyncio.run(main())


def test_registering_in_the_middle_of_a_stop_runs_it_once() -> None:
    switch = KillSwitch()
    calls: list[str] = []
    local = LocalStop(Stop("global", Mode.HALTED, "MANUAL", "m", {}, "", ""), "call", "key")
    change = switch._gate.halt(local)
    switch.register_on_activate(lambda *_: calls.append("called"))
    switch._runtime.handlers.dispatch(change)
    switch.register_on_activate(lambda *_: calls.append("the last"))
    eventually(lambda: "the last" in calls and "called" in calls)
    assert sorted(calls) == ["called", "the last"]


def test_a_callback_may_stop_again(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    statuses: list[dict[str, Any]] = []

    async def callback(*_: object) -> None:
        statuses.append(await switch.activate("SYSTEM_ERROR", "again", scope="account:main", wait_s=60))

    switch.register_on_activate(callback)
    server.halt()
    eventually(lambda: statuses)
    assert statuses[0]["delivered"] is True
