"""A stop made at the console: what the process may do, what it tells the console, and in which order."""

import threading
from collections.abc import Callable
from typing import Any

from opsclient import KillSwitch, OpsConsole, clock

from tests.client.console_server import ConsoleServer, Handler, eventually


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


def test_what_is_acknowledged_is_not_acknowledged_again(server: ConsoleServer, console: OpsConsole) -> None:
    activation = server.halt()
    server.wait_acked(activation)
    server.cut_streams()
    eventually(lambda: len(server.streams) == 2 and console.contact == "live")
    second = server.halt("symbol:IBM")
    server.wait_acked(second)
    assert [ack["activations"] for ack in server.acks if ack["activations"]] == [[1], [1, 2]]


def test_an_epoch_without_a_stop_is_acknowledged_too(server: ConsoleServer, console: OpsConsole) -> None:
    server.wait_acked(server.halt())
    server.rearm()
    eventually(lambda: server.acks[-1] == {**server.acks[-1], "epoch": server.epoch, "activations": []})


def test_an_acknowledgement_is_repeated_until_it_is_taken(server: ConsoleServer, console: OpsConsole) -> None:
    refused: list[int] = []

    def refuse_three(handler: Handler, path: str, data: dict[str, Any]) -> bool:
        if path != "acknowledge" or not data["activations"] or len(refused) == 3:
            return False
        refused.append(data["epoch"])
        return handler.answer(503, {})

    server.post_answer = refuse_three
    server.wait_acked(server.halt())
    assert len(refused) == 3


def test_from_the_acknowledgement_on_no_thread_is_allowed_anything(
    server: ConsoleServer, console: OpsConsole
) -> None:
    switch = KillSwitch(console)
    stop = threading.Event()
    allowed_at: list[float] = []

    def trade() -> None:
        while not stop.is_set():
            asked_at = clock.now()
            if switch.is_trading_allowed(symbol="AAPL"):
                allowed_at.append(asked_at)
            stop.wait(0.0005)

    traders = [threading.Thread(target=trade) for _ in range(4)]
    for trader in traders:
        trader.start()
    try:
        for _ in range(10):
            eventually(switch.is_trading_allowed)
            server.wait_acked(server.halt())
            acknowledged_at = clock.now()
            stop.wait(0.02)
            assert not [at for at in allowed_at if at > acknowledged_at]
            server.rearm()
    finally:
        stop.set()
        for trader in traders:
            trader.join()
    assert allowed_at
