"""What a recorded trade costs the trading process: `record_trade()` beside the same three updates with prometheus_client.

`python -m bench.metrics_client`: rounds of both in turn, while the collector flushes to a console (a sink in a process of its own)
and its spool; as JSON, microseconds a trade, one per round.
"""

import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter

from opsclient.metrics import MetricsCollector, table
from prometheus_client import CollectorRegistry, Counter, Histogram

from bench.figures import at_most, seen
from bench.result import Result
from bench.rig import ROOT

TICKERS = [f"T{number:03}" for number in range(100)]
ROUNDS = 7
TRADES = 40_000
THREADS = 4
TIMES = 2.0

Work = Callable[[int], None]


class Sink(BaseHTTPRequestHandler):
    """Takes every batch."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"accepted": 1, "rejected": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def record(_folder: Path) -> Result:
    """The part of `script/bench`."""
    command = [sys.executable, "-m", "bench.metrics_client"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout)
    middle = {name: statistics.median(values) for name, values in found.items()}
    ours, together = middle["record_trade"], middle["record_trade, threads"]
    return Result(
        [
            seen("prometheus_client: inc and two observe, with labels()", middle["labels"], "µs"),
            seen("prometheus_client: the same, children kept", middle["children"], "µs"),
            seen("record_trade() with all three updates", ours, "µs"),
            at_most(
                "record_trade(), times prometheus_client with labels()", ours / middle["labels"], TIMES, "×"
            ),
            at_most(
                "record_trade(), times prometheus_client with children kept",
                ours / middle["children"],
                TIMES,
                "×",
            ),
            at_most(
                f"{THREADS} threads: record_trade(), times prometheus_client with labels()",
                together / middle["labels, threads"],
                TIMES,
                "×",
            ),
        ],
        found,
    )


def measure(collector: MetricsCollector) -> dict[str, list[float]]:
    """Microseconds a trade, one per round and way."""
    works = {
        "labels": _with_labels(),
        "children": _with_children(),
        "record_trade": _ours(collector),
    }
    found: dict[str, list[float]] = {}
    for work in works.values():
        work(2_000)
    for _ in range(ROUNDS):
        for name, work in works.items():
            found.setdefault(name, []).append(_timed(work, TRADES))
            found.setdefault(f"{name}, threads", []).append(_timed(_in_threads, work))
    return found


def _timed(run: Callable[..., None], *arguments: object) -> float:
    began = perf_counter()
    run(*arguments)
    return (perf_counter() - began) / TRADES * 1e6


def _in_threads(work: Work) -> None:
    threads = [threading.Thread(target=work, args=(TRADES // THREADS,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _peers() -> tuple[Counter, Histogram, Histogram]:
    registry = CollectorRegistry()
    return (
        Counter("trades", "x", table.TRADES.labels, registry=registry),
        Histogram("slippage", "x", ["ticker"], buckets=table.SLIPPAGE.buckets, registry=registry),
        Histogram("execution", "x", ["ticker"], buckets=table.EXECUTION.buckets, registry=registry),
    )


def _with_labels() -> Work:
    trades, slippage, execution = _peers()

    def work(count: int) -> None:
        for number in range(count):
            ticker = TICKERS[number % 100]
            trades.labels(ticker, "BUY", "filled").inc()
            slippage.labels(ticker).observe(3.1)
            execution.labels(ticker).observe(0.04)

    return work


def _with_children() -> Work:
    """As fast as it gets: nobody looks anything up."""
    peers = _peers()
    children = [
        (peers[0].labels(ticker, "BUY", "filled"), peers[1].labels(ticker), peers[2].labels(ticker))
        for ticker in TICKERS
    ]

    def work(count: int) -> None:
        for number in range(count):
            trades, slippage, execution = children[number % 100]
            trades.inc()
            slippage.observe(3.1)
            execution.observe(0.04)

    return work


def _ours(collector: MetricsCollector) -> Work:
    def work(count: int) -> None:
        for number in range(count):
            collector.record_trade(TICKERS[number % 100], "BUY", "filled", 3.1, 0.04)

    return work


def _serve(told: Connection) -> None:
    server = HTTPServer(("127.0.0.1", 0), Sink)
    told.send(server.server_address[1])
    server.serve_forever()


def main() -> None:
    mine, theirs = multiprocessing.Pipe()
    sink = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    sink.start()
    with tempfile.TemporaryDirectory() as folder:
        collector = MetricsCollector(f"http://127.0.0.1:{mine.recv()}", token="bench", spool_dir=folder)
        found = measure(collector)
        if not collector.flush() or not collector.status()["sent_batches"]:
            raise RuntimeError(f"the sink did not get it: {collector.status()}")
        collector.close()
    sink.terminate()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
