"""The instruments themselves: a cut that is silent, a wall clock that steps alone, a percentile that is one of the values."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.figures import at_least, at_most, percentile
from bench.fleet import WallShift, can_step_wall_clock, freeze, wait_until
from bench.proxy import Proxy


def test_a_cut_is_silent_and_heals() -> None:
    with socket.create_server(("127.0.0.1", 0)) as target:
        target.settimeout(5)
        proxy = Proxy("127.0.0.1", target.getsockname()[1])
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
            served, _ = target.accept()
            client.sendall(b"before")
            assert served.recv(100) == b"before"
            proxy.cut()
            client.sendall(b"lost")
            served.settimeout(0.2)
            with pytest.raises(TimeoutError):
                served.recv(100)
            served.sendall(b"lost too")
            served.close()
            client.settimeout(0.2)
            # Neither a byte nor the end of the connection comes through.
            with pytest.raises(TimeoutError):
                client.recv(100)
            proxy.heal()
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
            served, _ = target.accept()
            client.sendall(b"after")
            assert served.recv(100) == b"after"
            served.close()
        proxy.close()


def test_a_process_that_has_ended_counts_as_suspended() -> None:
    """As an autovacuum that ends while its parent is suspended."""
    with subprocess.Popen(["/bin/sh", "-c", "true & exec sleep 60"]) as parent:
        try:
            wait_until(lambda: _are_zombies(parent.pid), "the child has ended")
            freeze(psutil.Process(parent.pid).children())
            freeze([psutil.Process(parent.pid)])
            assert psutil.Process(parent.pid).status() == psutil.STATUS_STOPPED
        finally:
            parent.kill()


def _are_zombies(parent: int) -> bool:
    """Whether it has become another program than the shell, and its child is still to be reaped."""
    process = psutil.Process(parent)
    return process.name() == "sleep" and [child.status() for child in process.children()] == [
        psutil.STATUS_ZOMBIE
    ]


def test_the_wall_clock_steps_alone(tmp_path: Path) -> None:
    if not can_step_wall_clock(tmp_path):
        pytest.skip("stepping a process's wall clock takes a C compiler")
    shift = WallShift(tmp_path / "shift")
    program = (
        "import sys, time\n"
        "for _ in sys.stdin:\n"
        "    print(time.time(), time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME), flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | shift.environ(tmp_path),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        readings = []
        for seconds in (0, 3600, -3600):
            shift.step(seconds)
            print(file=process.stdin, flush=True)
            readings.append([float(part) for part in process.stdout.readline().split()])
        process.stdin.close()
    (wall, monotonic, boot), forward, back = readings
    assert forward[0] - wall == pytest.approx(3600, abs=60)
    assert back[0] - wall == pytest.approx(-3600, abs=60)
    assert forward[1] - monotonic == pytest.approx(forward[2] - boot, abs=0.05)
    assert 0 <= back[1] - monotonic < 60


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(200, 0, -1)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)) == (100, 198, 200)
    assert percentile([7.0], 0.99) == 7
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_figure_on_its_target_is_met() -> None:
    assert at_most("a", 50, 50, "ms").verdict == "met"
    assert at_most("a", 50.1, 50, "ms").verdict == "MISSED"
    assert at_least("a", 50, 50, "×").verdict == "met"
    assert at_least("a", 49.9, 50, "×").verdict == "MISSED"
