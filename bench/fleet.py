"""The load processes as the measuring process sees them: started, frozen, and asked when they were last
allowed to trade.
"""

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from bench.board import Board, Row
from demo.clock import boot_ns


class LateError(Exception):
    """Something that was waited for did not come about within its time. The text says what."""


def wait_until(
    condition: Callable[[], bool], what: str, *, seconds: float = 30.0, every: float = 0.005
) -> None:
    """Look again and again until it holds. Raises LateError with `what`."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise LateError(f"{what}: not within {seconds:g} s")
        time.sleep(every)


class Fleet:
    """A number of load processes, each trying an order every `every` seconds.

    `on_contact_lost`: "halt", or "keep" for processes that trade on without a lease, as a control.
    """

    def __init__(
        self,
        folder: Path,
        *,
        count: int,
        every: float,
        environ: Mapping[str, str],
        on_contact_lost: str = "halt",
    ) -> None:
        self.count = count
        self.board = Board(folder / "board", count, create=True)
        self.wall_shift = WallShift(folder / "shift-clients")
        arguments = ["--board", str(self.board.path), "--count", str(count), "--every", str(every)]
        arguments += ["--on-contact-lost", on_contact_lost]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.orders", *arguments],
            stdin=subprocess.PIPE,
            env={**os.environ, **environ, **self.wall_shift.environ(folder)},
            process_group=0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.thaw()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(10)
        self.board.close()

    def rows(self) -> list[Row]:
        return self.board.read()

    def wait_trading(self, *, seconds: float = 30.0) -> None:
        """Until every process was allowed to trade after now. Raises LateError."""
        since = boot_ns()
        wait_until(
            lambda: all(row.asked > since for row in self.rows()), "every process trades", seconds=seconds
        )

    def wait_epoch(self, epoch: int, *, seconds: float = 30.0) -> None:
        """Until every process has applied at least this epoch. Raises LateError."""
        wait_until(
            lambda: all(row.epoch >= epoch for row in self.rows()),
            f"every process knows epoch {epoch}",
            seconds=seconds,
        )

    def freeze(self) -> None:
        """Suspend all of them; returns once the kernel has done so."""
        freeze([psutil.Process(row.pid) for row in self.rows()])

    def thaw(self) -> None:
        for row in self.rows():
            if row.pid and psutil.pid_exists(row.pid):
                os.kill(row.pid, signal.SIGCONT)


def freeze(processes: list[psutil.Process]) -> None:
    """Suspend processes, in this order; returns once the kernel has done so.

    Those that have ended meanwhile do nothing either: PostgreSQL's autovacuum comes and goes, and its parent, suspended, does not reap it.
    """
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    wait_until(
        lambda: all(map(_does_nothing, processes)),
        "processes are suspended",
        seconds=5,
    )


def _does_nothing(process: psutil.Process) -> bool:
    try:
        return process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


class WallShift:
    """Shifts the wall clock of processes that are started with `environ()`, and no other clock
    (bench/wallclock.c).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_bytes(bytes(8))

    def environ(self, folder: Path) -> dict[str, str]:
        """Empty where there is no C compiler: the wall clock then cannot be stepped."""
        library = _library(folder)
        if library is None:
            return {}
        return {"LD_PRELOAD": str(library), "OPSBENCH_WALL_SHIFT": str(self._path)}

    def step(self, seconds: float) -> None:
        """Shift the wall clock by so much from now on. 0 sets it right."""
        with self._path.open("r+b") as file:
            file.write(struct.pack("=q", round(seconds * 1e9)))


def can_step_wall_clock(folder: Path) -> bool:
    return _library(folder) is not None


def _library(folder: Path) -> Path | None:
    library = folder / "wallclock.so"
    if library.exists():
        return library
    source = Path(__file__).with_name("wallclock.c")
    command = ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return library
