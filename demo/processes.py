"""The demo's child processes. Each holds the reading end of a pipe whose other end is ours, and goes when it
closes.
"""

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from demo.control import Control
from demo.store import Store

ROOT = Path(__file__).resolve().parent.parent

# Seconds that a child has to end in order.
GRACE = 0.8


class Processes:
    """A venue, the services outside, and the traders. Leaving the context ends all of them."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self._folder = folder
        self._environ = environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "client")])}
        self._servers: list[subprocess.Popen[str]] = []
        self._token = secrets.token_urlsafe(24)
        self.traders: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> "Processes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, tickers: list[str], *, day_seconds: float, days: int | None, start: str = "") -> Control:
        """Start the venue and the services, then a trader for each ticker. Returns how the services are told to fail. Raises
        RuntimeError when they do not come up.
        """
        options = ["--journal", str(self._folder / "venue.jsonl"), "--day-seconds", str(day_seconds)]
        if days is not None:
            options += ["--days", str(days)]
        if start:
            options += ["--from", start]
        database = self._folder / "traders.sqlite"
        Store.make(database)
        venue = self._serve("demo.venue", *options)
        services = self._serve(
            "demo.outside", "--database", str(database), environ={"DEMO_CONTROL_TOKEN": self._token}
        )
        ports = ("--port", venue, "--services", services, "--database", str(database))
        for ticker in tickers:
            self.traders[ticker] = self._spawn("demo.trader", ticker, *ports)
        return Control(int(services), self._token)

    def running(self) -> list[str]:
        return [ticker for ticker, process in self.traders.items() if process.poll() is None]

    def failed(self) -> dict[str, int]:
        """The traders that ended by themselves with an error, with their exit codes."""
        codes = {ticker: process.poll() for ticker, process in self.traders.items()}
        return {ticker: code for ticker, code in codes.items() if code}

    def stop(self) -> None:
        """Traders first, so that they can still take back their orders; then what they trade with."""
        _end(list(self.traders.values()))
        _end(self._servers)

    def _serve(self, module: str, *arguments: str, environ: dict[str, str] | None = None) -> str:
        """Start a process that others connect to. Returns its port."""
        process = self._spawn(module, *arguments, stdout=subprocess.PIPE, environ=environ)
        self._servers.append(process)
        port = _output(process).readline().strip()
        if not port:
            raise RuntimeError(f"The process {module} did not start; its own message stands above.")
        return port

    def _spawn(
        self,
        module: str,
        *arguments: str,
        stdout: int | None = None,
        environ: dict[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        # A group of their own: Ctrl-C is ours to turn into an orderly end.
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=stdout,
            text=True,
            cwd=ROOT,
            env=self._environ | (environ or {}),
            process_group=0,
        )


def _output(process: subprocess.Popen[str]) -> IO[str]:
    if process.stdout is None:
        raise RuntimeError("the process was started without a pipe for its output")
    return process.stdout


def _end(processes: list[subprocess.Popen[str]]) -> None:
    until = time.monotonic() + GRACE
    for process in processes:
        if process.stdin is not None:
            process.stdin.close()
    for process in processes:
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
