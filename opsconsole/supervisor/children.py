"""A supervised program: its log with a prefix, and a new start with a growing delay when it ends by itself."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress

from opsconsole.embedded.folder import DataFolder
from opsconsole.embedded.processes import Identity, Program

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
HEALTHY_SECONDS = 60.0
NAME_WIDTH = 8


def say(name: str, text: str) -> None:
    """One line of the common log. Nobody reading it any more must not stop a trading halt: errors are dropped."""
    with suppress(OSError):
        sys.stdout.write(f"{name:<{NAME_WIDTH}} | {text}\n")
        sys.stdout.flush()


class Log:
    """The lines of one program, from a pipe of our own to `say`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rest = b""
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        asyncio.get_running_loop().add_reader(self._reader, self._read)

    def _read(self) -> None:
        try:
            chunk = os.read(self._reader, 65536)
        except BlockingIOError:
            return
        if not chunk:
            asyncio.get_running_loop().remove_reader(self._reader)
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            say(self._name, line.decode("utf-8", "replace").rstrip("\r"))

    def close(self) -> None:
        """Show what is left and stop listening, even if a stray process still holds the other end."""
        self._read()
        asyncio.get_running_loop().remove_reader(self._reader)
        os.close(self._reader)
        if self._rest:
            say(self._name, self._rest.decode("utf-8", "replace"))


class Child:
    """Keeps one program running until it is stopped."""

    def __init__(self, program: Program, folder: DataFolder) -> None:
        self.program = program
        self._folder = folder
        self._identity: Identity | None = None
        self._stop = asyncio.Event()
        self._task: asyncio.Task[int] | None = None

    def start(self) -> None:
        """Start it, again whenever it ends by itself."""
        self._task = asyncio.create_task(self._keep_running())

    def run_once(self) -> "asyncio.Task[int]":
        """Start it now; the task ends with its return code."""
        self._task = asyncio.create_task(self._watch(*self._launch()))
        return self._task

    def ask_to_stop(self) -> None:
        self._stop.set()
        if self._identity:
            self._identity.send(self.program.stop_signal)

    async def wait(self) -> None:
        if self._task:
            await asyncio.wait([self._task])

    def kill(self) -> None:
        if self._identity:
            self._identity.kill_group()

    async def _keep_running(self) -> int:
        delay = FIRST_DELAY_SECONDS
        while True:
            began = time.monotonic()
            code = await self._watch(*self._launch())
            if self._stop.is_set():
                return code
            if time.monotonic() - began >= HEALTHY_SECONDS:
                delay = FIRST_DELAY_SECONDS
            say("console", f"{self.program.name} {describe(code)}; starting it again in {delay:g} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), delay)
                return code
            delay = min(2 * delay, LONGEST_DELAY_SECONDS)

    def _launch(self) -> tuple[subprocess.Popen[bytes], Log]:
        log = Log(self.program.name)
        try:
            process = self.program.start(log.writer)
        finally:
            os.close(log.writer)
        self._identity = Identity.of(process.pid)
        if self._identity:
            self._folder.record_process(self.program.name, self._identity, self.program.stop_signal)
        return process, log

    async def _watch(self, process: subprocess.Popen[bytes], log: Log) -> int:
        try:
            return await _ended(process)
        finally:
            # What it started itself goes with it. While any of that lives, the group's number is not used again.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            log.close()


async def _ended(process: subprocess.Popen[bytes]) -> int:
    """Its return code. A thread waits: asyncio's own waiting also wants all its pipes closed, by grandchildren too."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def report(code: int) -> None:
        if not ended.done():
            ended.set_result(code)

    def wait() -> None:
        code = process.wait()
        with suppress(RuntimeError):  # the loop has ended first
            loop.call_soon_threadsafe(report, code)

    threading.Thread(target=wait, name=f"wait-{process.pid}", daemon=True).start()
    return await ended


def describe(code: int) -> str:
    """How a program ended, from its return code: 'was ended by SIGKILL', 'ended with code 1'."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"


async def stop_children(children: Iterable[Child], *, seconds: float) -> None:
    """Ask all to stop, wait for them together, and kill what is left after `seconds`."""
    waiting = list(children)
    for child in waiting:
        child.ask_to_stop()
    everyone = asyncio.gather(*(child.wait() for child in waiting))
    try:
        await asyncio.wait_for(asyncio.shield(everyone), seconds)
    except TimeoutError:
        for child in waiting:
            child.kill()
        await everyone
