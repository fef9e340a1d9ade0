"""Cancelling orders and closing positions: by itself, or when the operator says so."""

import threading
from typing import Any

import pytest
from opsclient import ConfigurationError, KillSwitch, OpsConsole
from opsclient.reporter import counts

from tests.client.console_server import ConsoleServer, eventually


def test_two_functions_for_one_thing_are_refused() -> None:
    switch = KillSwitch(cancel_orders=lambda: 1)
    with pytest.raises(ConfigurationError, match="cancel_orders"):
        switch.register_cancel_orders(lambda: 2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, (3, None, None)),
        (None, (None, None, None)),
        (True, (None, None, None)),
        ({"cancelled": 2, "left": 1, "unknown": 0}, (2, 1, 0)),
        ({"cancelled": "many"}, (None, None, None)),
    ],
)
def test_what_the_functions_may_return(value: Any, expected: tuple[int | None, ...]) -> None:
    assert tuple(counts(value).values()) == expected


def test_by_itself_on_a_stop(server: ConsoleServer, console: OpsConsole) -> None:
    calls: list[str] = []
    KillSwitch(
        console,
        auto_cancel_orders=True,
        cancel_orders=lambda: calls.append("cancel") or 3,  # type: ignore[func-returns-value]
        close_positions=lambda: calls.append("close"),
    )
    server.halt()
    report = server.wait_report(lambda r: r["callbacks"])
    assert calls == ["cancel"], "positions wait for the operator"
    (result,) = report["callbacks"]
    assert (result["name"], result["ok"], result["cancelled"], result["left"]) == (
        "cancel_orders",
        True,
        3,
        None,
    )


def test_not_while_reducing_is_allowed(server: ConsoleServer, console: OpsConsole) -> None:
    calls: list[str] = []
    switch = KillSwitch(console, auto_cancel_orders=True, cancel_orders=lambda: calls.append("cancel"))
    switch.register_on_activate(lambda *_: calls.append("callback"))
    server.halt(mode="REDUCE_ONLY")
    eventually(lambda: calls)
    server.halt()
    eventually(lambda: sorted(calls) == ["callback", "callback", "cancel"])


def test_a_missing_function_is_told(server: ConsoleServer, console: OpsConsole) -> None:
    KillSwitch(console, auto_close_positions=True)
    server.halt()
    report = server.wait_report(lambda r: r["callbacks"])
    assert "no function is registered" in report["callbacks"][0]["error"]


async def cancel_all() -> dict[str, int]:
    return {"cancelled": 2, "left": 1, "unknown": 0}


def test_when_the_operator_says_so(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    switch.register_cancel_orders(cancel_all)
    server.wait_acked(server.halt())
    server.command("cancel_orders")
    report = server.wait_report(lambda r: r["commands"])
    assert report["commands"] == [
        {"id": 3, "ok": True, "cancelled": 2, "left": 1, "unknown": 0, "error": None}
    ]


def test_a_command_runs_once_and_only_where_it_is_meant(server: ConsoleServer, console: OpsConsole) -> None:
    calls: list[str] = []
    KillSwitch(
        console, cancel_orders=lambda: calls.append("cancel"), close_positions=lambda: calls.append("close")
    )
    server.command("close_positions", targets=(2,))
    eventually(lambda: any(ack["epoch"] == server.epoch for ack in server.acks))
    server.command("cancel_orders")
    server.wait_report(lambda r: r["commands"])
    server.cut_streams()
    eventually(lambda: len(server.streams) == 2)
    server.wait_acked(server.drill())
    assert calls == ["cancel"]


def test_a_command_without_a_function_and_one_that_fails(server: ConsoleServer, console: OpsConsole) -> None:
    def fail() -> None:
        raise ConnectionError("venue is down")

    KillSwitch(console, cancel_orders=fail)
    server.command("cancel_orders")
    report = server.wait_report(lambda r: r["commands"])
    assert report["commands"][0]["ok"] is False
    assert "venue is down" in report["commands"][0]["error"]
    server.command("close_positions", command_id=4)
    report = server.wait_report(lambda r: r["commands"] and r["commands"][0]["id"] == 4)
    assert "no function" in report["commands"][0]["error"]


def test_the_exposure_is_reported(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    switch.register_exposure(lambda: {"open_orders": 2, "positions": {"AAPL": 300}, "last_order": "buy 100"})
    report = server.wait_report(lambda r: r["exposure"]["open_orders"] is not None)
    assert report["exposure"] == {"open_orders": 2, "positions": {"AAPL": 300}, "last_order": "buy 100"}


def test_an_exposure_that_hangs_is_unknown_and_holds_nothing_up(
    server: ConsoleServer, console: OpsConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsclient.reporter.EXPOSURE_S", 0.05)
    release = threading.Event()
    switch = KillSwitch(console)
    switch.register_exposure(lambda: {"open_orders": 1} if release.wait(30) else {})
    server.wait_acked(server.halt())
    report = server.wait_report(lambda r: r["epoch"] == server.epoch)
    release.set()
    assert report["exposure"] == {"open_orders": None, "positions": None, "last_order": ""}


@pytest.mark.parametrize("status", [401, 403, 409, 429, 503])
def test_results_are_kept_until_a_report_is_taken(
    server: ConsoleServer, console: OpsConsole, status: int
) -> None:
    refused: list[dict[str, Any]] = []

    def refuse_one(handler: Any, path: str, data: dict[str, Any]) -> bool:
        if path == "report" and data["commands"] and not refused:
            refused.append(data)
            return bool(handler.answer(status, {}))
        return False

    server.post_answer = refuse_one
    KillSwitch(console, cancel_orders=lambda: 1)
    server.command("cancel_orders")
    report = server.wait_report(lambda r: r["commands"])
    assert report["commands"] == refused[0]["commands"]
