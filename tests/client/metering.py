"""What the tests of metrics share: flushes of a known size, the spool's files, and processes that are ended."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from opsclient.metrics import MetricsCollector

from tests.client.console_server import ConsoleServer

Collect = Callable[..., MetricsCollector]
ROOT = Path(__file__).parents[2]


def files(spool: Path) -> list[Path]:
    return sorted(spool.glob("metrics-*.jsonl"))


def record_batches(collector: MetricsCollector, count: int, number: int = 1) -> None:
    """So many flushes, each with so many trades."""
    for _ in range(count):
        for _ in range(number):
            collector.record_trade("AAPL", "BUY", slippage_bps=1.0)
        collector._desk.collect()


def child(number: int, end: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.client.metering_child", str(number), end]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "client")])}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ, cwd=ROOT
    )


def finish(process: "subprocess.Popen[str]") -> str:
    """Let it go on to its end; what it has said."""
    assert process.stdout is not None
    said = process.stdout.readline()
    more, _ = process.communicate("go\n", timeout=20)
    return said + more


def sent_ids(server: ConsoleServer) -> list[str]:
    return [data["batch_id"] for _, data, _ in server.posts]
