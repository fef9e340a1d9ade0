"""Forks: the child is a client of its own and starts without a lease; the parent notices nothing."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from opsclient import KillSwitch, OpsConsole

from tests.client.console_server import ConsoleServer, eventually

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    # The whole point is a fork of a process with threads.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def in_child(work: Callable[[], bool]) -> int:
    """Fork, do the work in the child with a time limit, and leave without any clean-up; the child's pid."""
    pid = os.fork()
    if pid:
        return pid
    signal.alarm(20)
    code = 1
    try:
        code = 0 if work() else 2
    finally:
        os._exit(code)


@contextmanager
def held_by_another_thread(lock: AbstractContextManager[object]) -> Iterator[None]:
    """It must not be held for ever in a child that is forked meanwhile."""
    is_held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            is_held.set()
            go_on.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait(10)
    yield
    go_on.set()
    holder.join(10)


def exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_child_starts_not_allowed(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    assert switch.is_trading_allowed()
    server.grants = False
    pid = in_child(lambda: not switch.is_trading_allowed())
    assert exit_code(pid) == 0


def test_a_child_gets_a_lease_of_its_own_as_another_instance(
    server: ConsoleServer, console: OpsConsole
) -> None:
    switch = KillSwitch(console)
    parents = console.instance
    pid = in_child(
        lambda: console.wait_until_live() and switch.is_trading_allowed() and console.instance != parents
    )
    assert exit_code(pid) == 0
    assert len({stream.params["instance"][0] for stream in server.streams}) == 2
    assert {stream.params["pid"][0] for stream in server.streams} == {str(os.getpid()), str(pid)}
    assert not server.streams[0].ended, "the parent's own connection is untouched"
    assert switch.is_trading_allowed()
    assert console.instance == parents


def test_a_stop_reaches_parent_and_child(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    calls: list[str] = []
    switch.register_on_activate(lambda *_: calls.append("called"))

    def work() -> bool:
        console.wait_until_live()
        eventually(lambda: not switch.is_trading_allowed())
        eventually(lambda: calls == ["called"])
        eventually(lambda: console._acknowledger._latest is None, "delivered, before this process is gone")
        return True

    pid = in_child(work)
    eventually(lambda: len(server.streams) == 2)
    server.wait_acked(server.halt())
    assert exit_code(pid) == 0
    acked = {ack["instance"] for ack in server.acks if ack["activations"]}
    assert len(acked) == 2
    eventually(lambda: calls == ["called"])


def test_what_was_stopped_and_not_delivered_is_delivered_by_the_child_too(
    server: ConsoleServer, console: OpsConsole
) -> None:
    switch = KillSwitch(console)
    server.stop()
    switch.activate_sync("MANUAL", "m")

    def work() -> bool:
        assert not switch.is_trading_allowed()
        eventually(lambda: not switch.get_status()["undelivered"])
        return not switch.is_trading_allowed()

    pid = in_child(work)
    server.start()
    assert exit_code(pid) == 0

    def keys() -> list[str]:
        return [headers["Idempotency-Key"] for path, _, headers in list(server.posts) if path == "activate"]

    eventually(lambda: len(keys()) >= 2)
    assert len(set(keys())) == 1


def test_forks_from_many_threads_never_hang(server: ConsoleServer, console: OpsConsole) -> None:
    switch = KillSwitch(console)
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            server.halt("symbol:IBM")
            server.rearm("symbol:IBM")
            stop.wait(0.005)

    churner = threading.Thread(target=churn)
    churner.start()
    try:
        pids = [
            in_child(lambda: switch.get_status()["epoch"] > 0 and console.wait_until_live()) for _ in range(8)
        ]
        assert [exit_code(pid) for pid in pids] == [0] * 8
    finally:
        stop.set()
        churner.join()


def test_the_halt_file_is_watched_in_the_child(tmp_path: Path) -> None:
    path = tmp_path / "halt"
    switch = KillSwitch(halt_file=path)
    assert switch.is_trading_allowed()

    def work() -> bool:
        eventually(switch.is_trading_allowed)
        path.touch()
        eventually(lambda: not switch.is_trading_allowed())
        return True

    assert exit_code(in_child(work)) == 0
    eventually(lambda: not switch.is_trading_allowed())
    switch.close()
