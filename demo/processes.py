"""The demo's child processes. Each holds the reading end of a pipe whose other end is ours, and goes when it
closes.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO

ROOT = Path(__file__).resolve().parent.parent

# Seconds that a child has to end in order.
GRACE = 0.8


class Processes:
    """A venue and its traders. Leaving the context ends all of them."""

    def __init__(self, journal: Path, environ: dict[str, str]) -> None:
        self._journal = journal
        self._environ = environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "client")])}
        self._venue: subprocess.Popen[str] | None = None
        self.traders: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> "Processes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, tickers: list[str], *, day_seconds: float, days: int | None, start: str = "") -> None:
        """Start the venue, then a trader for each ticker. Raises RuntimeError when the venue does not come
        up.
        """
        options = ["--journal", str(self._journal), "--day-seconds", str(day_seconds)]
        if days is not None:
            options += ["--days", str(days)]
        if start:
            options += ["--from", start]
        self._venue = self._spawn("demo.venue", *options, stdout=subprocess.PIPE)
        port = _output(self._venue).readline().strip()
        if not port:
            raise RuntimeError("The demo's venue did not start; its own message stands above.")
        for ticker in tickers:
            self.traders[ticker] = self._spawn("demo.trader", ticker, "--port", port)

    def running(self) -> list[str]:
        return [ticker for ticker, process in self.traders.items() if process.poll() is None]

    def failed(self) -> dict[str, int]:
        """The traders that ended by themselves with an error, with their exit codes."""
        codes = {ticker: process.poll() for ticker, process in self.traders.items()}
        return {ticker: code for ticker, code in codes.items() if code}

    def stop(self) -> None:
        """Traders first, so that they can still take back their orders; then the venue."""
        _end(list(self.traders.values()))
        if self._venue is not None:
            _end([self._venue])

    def _spawn(self, module: str, *arguments: str, stdout: int | None = None) -> subprocess.Popen[str]:
        # A group of their own: Ctrl-C is ours to turn into an orderly end.
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=stdout,
            text=True,
            cwd=ROOT,
            env=self._environ,
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
