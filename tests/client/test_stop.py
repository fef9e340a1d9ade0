"""A stop made at the console: what the process may do, what it tells the console, and in which order."""

import threading
from collections.abc import Callable

from opsclient import KillSwitch, OpsConsole

from tests.client.console_server import ConsoleServer, eventually


def test_nothing_is_allowed_before_the_first_lease(
    server: ConsoleServer, connect: Callable[..., OpsConsole]
) -> None:
    server.grants = False
    console = connect()
    eventually(lambda: console.contact == "no_lease")
    assert not KillSwitch(console).is_trading_allowed()
    server.grants = True
    assert console.wait_until_live()
    assert KillSwitch(console).is_trading_allowed()


def test_a_stop_is_applied_acknowledged_and_reported(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    seen: list[tuple[str, str, dict[str, object]]] = []
    switch.register_on_activate(lambda reason, message, metadata: seen.append((reason, message, metadata)))
    assert switch.is_trading_allowed()

    activation = server.halt()

    ack = server.wait_acked(activation)
    assert not switch.is_trading_allowed()
    assert ack == {
        "name": "AAPL",
        "instance": console.instance,
        "epoch": server.epoch,
        "activations": [activation],
    }
    report = server.wait_report(lambda r: r["callbacks"])
    assert report["allowed"] is False
    assert report["epoch"] == server.epoch
    (result,) = report["callbacks"]
    assert (result["activation"], result["name"], result["ok"], result["error"]) == (
        1,
        "<lambda>",
        True,
        None,
    )
    assert seen == [("MANUAL", "stop it", {"desk": 1})]


def test_trading_goes_on_after_re_arming(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    ended = threading.Event()
    switch.register_on_deactivate(lambda *_: ended.set())
    server.wait_acked(server.halt())
    assert not switch.is_trading_allowed()
    server.rearm()
    eventually(switch.is_trading_allowed)
    assert ended.wait(5)
    assert switch.epoch == server.epoch
