"""`is_active = False`: the emergency override of this process, told to the console."""

import logging

import pytest
from opsclient import KillSwitch, OpsConsole

from tests.client.console_server import ConsoleServer, eventually


def test_it_lifts_the_stop_here_until_the_next_epoch(
    server: ConsoleServer, console: OpsConsole, caplog: pytest.LogCaptureFixture
) -> None:
    switch = KillSwitch(console)
    server.wait_acked(server.halt())
    assert switch.is_active
    with caplog.at_level(logging.CRITICAL, "opsclient"):
        switch.is_active = False
    assert "EMERGENCY OVERRIDE" in caplog.text
    assert not switch.is_active
    assert switch.is_trading_allowed()
    assert switch.get_status()["override"]["epoch"] == server.epoch
    report = server.wait_report(lambda r: r["override"])
    assert report["override"]["message"] == "is_active set to False"
    assert report["allowed"] is True
    server.drill()
    eventually(lambda: not switch.is_trading_allowed())
    server.wait_report(lambda r: r["override"] is None and r["epoch"] == server.epoch)


def test_it_ends_with_true(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    server.wait_acked(server.halt())
    switch.is_active = False
    switch.is_active = True
    assert not switch.is_trading_allowed()
    assert not [post for post in server.posts if post[0] == "activate"], (
        "the console's own stop is in force again"
    )


def test_it_replaces_no_lease(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    server.wait_acked(server.halt())
    server.silent = True
    eventually(lambda: switch.get_status()["lease_s_left"] == 0)
    switch.is_active = False
    assert not switch.is_trading_allowed()


def test_true_stops_where_nothing_is_stopped() -> None:
    switch = KillSwitch()
    switch.is_active = True
    assert not switch.is_trading_allowed()
    switch.is_active = False
    assert switch.is_trading_allowed()
