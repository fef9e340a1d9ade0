"""A process that was suspended past its lease: the first answer after waking is no."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import opsclient
import pytest

from tests.client import child as child_module
from tests.client.console_server import ConsoleServer, eventually


@pytest.fixture
def child(server: ConsoleServer) -> Iterator[subprocess.Popen[str]]:
    packages = Path(opsclient.__file__).parent.parent
    process = subprocess.Popen(
        [sys.executable, child_module.__file__, server.url, str(server.token)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(packages)},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.send_signal(signal.SIGCONT)
        process.kill()


def ask(child: subprocess.Popen[str]) -> str:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("may I?\n")
    child.stdin.flush()
    return child.stdout.readline().split()[0]


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_the_first_answer_after_waking_is_no(server: ConsoleServer, child: subprocess.Popen[str]) -> None:
    assert ask(child) == "yes"
    os.kill(child.pid, signal.SIGSTOP)
    eventually(lambda: is_stopped(child.pid))
    activation = server.halt()
    slept_until = time.monotonic() + server.term + 0.1
    eventually(
        lambda: time.monotonic() > slept_until
    )  # the lease is a matter of time, and nothing else shows its end
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(
        "may I?\n"
    )  # it waits in the pipe: answered before or after the listener wakes, it is no
    child.stdin.flush()
    os.kill(child.pid, signal.SIGCONT)
    assert child.stdout.readline().split()[0] == "no"
    server.wait_acked(activation)
    assert ask(child) == "no"
    server.rearm()
    eventually(lambda: ask(child) == "yes")
