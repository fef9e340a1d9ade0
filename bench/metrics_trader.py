"""One trading process of `bench.metrics_faults`: `python -m bench.metrics_trader --folder F --name N --first I --count C`.

It records the trades with the numbers from `first` to below `count`, in chunks: each chunk has a ticker of its own, and each trade's slippage is
its place within its chunk. So the console's count and sum of one ticker say whether each of its trades was counted once. After each chunk it
flushes, and what the console has is acknowledged in a journal; while the console is away it goes on without.
"""

import argparse
import json
import mmap
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from opsclient.metrics import MetricsCollector
from opsclient.transport import Answer, Poster

CHUNK = 500
FLUSH_SECONDS = 0.5
# So few that they are merged while the console is away.
SPOOL_BATCHES = 4
# In the trader's folder: the spool, how many trades it has begun to record (in shared memory, so that a killed one's number is
# there), how many are acknowledged (a line each time), and the ids of the batches that it has posted.
SPOOL, BEGUN, ACKNOWLEDGED, POSTED = "spool", "begun", "acknowledged", "posted"
NUMBER = struct.Struct("<q")


def trade(metrics: MetricsCollector, number: int) -> None:
    """Record the trade with this number."""
    chunk, place = divmod(number, CHUNK)
    metrics.record_trade(f"C{chunk}", "SELL" if place % 2 else "BUY", slippage_bps=place)


@contextmanager
def shared(path: Path) -> Iterator[Callable[[int], None]]:
    """The number in this file, which outlives a kill; yields how to set it."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), NUMBER.size) as memory:
        yield lambda number: NUMBER.pack_into(memory, 0, number)


@contextmanager
def appended(path: Path) -> Iterator[Callable[[object], None]]:
    """Lines of a file; yields how to write one, for good."""
    with path.open("a") as file:

        def write(line: object) -> None:
            print(line, file=file, flush=True)
            os.fsync(file.fileno())

        yield write


@contextmanager
def posts_noted(path: Path) -> Iterator[None]:
    """Write down the id of each batch before it is posted."""
    post = Poster.post
    with path.open("a") as file:

        def noted(self: Poster, where: str, body: bytes) -> Answer:
            print(json.loads(body)["batch_id"], file=file, flush=True)
            return post(self, where, body)

        with patch.object(Poster, "post", noted):
            yield


def record(folder: Path, name: str, *, first: int, count: int) -> None:
    """Returns when the console has them all."""
    with (
        shared(folder / BEGUN) as begin,
        appended(folder / ACKNOWLEDGED) as acknowledge,
        posts_noted(folder / POSTED),
        MetricsCollector(client=name, spool_dir=folder / SPOOL, spool_batches=SPOOL_BATCHES) as metrics,
    ):
        for number in range(first, count):
            begin(number + 1)
            trade(metrics, number)
            if (number + 1) % CHUNK == 0 and metrics.flush(timeout=FLUSH_SECONDS):
                acknowledge(number + 1)
        while not metrics.flush():
            pass
        acknowledge(count)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.metrics_trader")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args()
    record(options.folder, options.name, first=options.first, count=options.count)


if __name__ == "__main__":
    main()
