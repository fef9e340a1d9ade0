"""Exact under kills: trades are recorded while web, worker and the trading processes are killed (`kill -9`) in a loop.

`python -m bench.metrics_faults --folder F [--trades 1000000] [--every 10000]` prints JSON. A trading process that was killed goes on
with the first trade that is neither counted nor in its spool; that place is worked out before it starts again, so whatever is lost or counted
twice later shows in the totals.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

from bench.metrics_ledger import counted, exposed, safe, totals
from bench.metrics_trader import ACKNOWLEDGED, BEGUN, CHUNK, NUMBER, POSTED
from bench.rig import ROOT, Rig, Server

TRADERS = 4
DOWN_SECONDS = 0.5
# What is killed at one time, in turn: a trading process also while the console is away.
FAULTS = (("web", "client"), ("client",), ("worker",), ("web",))
# For so long a kill waits until its trading process is within a chunk: it records one in a millisecond or two.
WITHIN_SECONDS = 0.5
# Without progress for so long, the measurement has failed.
PATIENCE_SECONDS = 120.0


class Trader:
    """A trading process that can be killed, and goes on where its trades are no longer safe.

    `lost`: trades that were acknowledged and are gone; `extra`: counted and never recorded; `misplaced`: tickers that are not as they
    can be; each found at a restart. `again`: trades that each kill cost, which are recorded again. `repeated`: batches that were counted when it
    was killed, and that it sends once more.
    """

    def __init__(self, rig: Rig, folder: Path, *, name: str, count: int) -> None:
        self.name, self.count = name, count
        self.lost = self.extra = self.misplaced = self.repeated = 0
        self.again: list[int] = []
        self._rig, self._folder = rig, folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        self._start(0)

    def begun(self) -> int:
        """Trades that it has begun to record."""
        return int(NUMBER.unpack((self._folder / BEGUN).read_bytes())[0])

    def acknowledged(self) -> int:
        path = self._folder / ACKNOWLEDGED
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return max((int(line) for line in lines if line.endswith("\n")), default=0)

    def posted(self) -> list[str]:
        """Ids of batches, one for each time."""
        return (self._folder / POSTED).read_text().split()

    def is_done(self) -> bool:
        """Raises RuntimeError if it ended in any other way."""
        code = self._process.poll() if self._process is not None else None
        if code:
            raise RuntimeError(f"{self.name} ended with exit code {code}; its message stands above")
        return code == 0

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    def restart(self) -> None:
        """After a kill."""
        found, repeated = safe(self._rig.environ["DATABASE_URL"], self.name, self._folder)
        self.repeated += repeated
        self.misplaced += len(found.wrong())
        self.lost += max(0, self.acknowledged() - found.total)
        self.extra += max(0, found.total - self.begun())
        self.again.append(max(0, self.begun() - found.total))
        self._start(min(found.total, self.count))

    def _start(self, first: int) -> None:
        (self._folder / BEGUN).write_bytes(NUMBER.pack(first))
        where = ["--folder", str(self._folder), "--name", self.name]
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "bench.metrics_trader",
                *where,
                "--first",
                str(first),
                "--count",
                str(self.count),
            ],
            cwd=ROOT,
            env=self._rig.environ | self._rig.client_environ(),
        )


class Killer:
    """Kills after so many trades, and starts again, in the calling thread. By trades, not by time: it always happens while some are recorded."""

    def __init__(self, rig: Rig, traders: list[Trader], *, every: int, seed: int = 1) -> None:
        self.kills: Counter[str] = Counter()
        # Those that ended without being killed.
        self.ended: Counter[str] = Counter()
        self._traders = traders
        self._every = every
        self._random = random.Random(seed)
        self._programs: dict[str, tuple[Server, Callable[[], None]]] = {
            "web": (rig.web, rig.start_web),
            "worker": (rig.worker, rig.worker.start),
        }

    def run(self) -> None:
        """Returns when every trading process is done."""
        faults = cycle(FAULTS)
        while self._progress():
            self._kill(next(faults))
        self._restart()

    def _progress(self) -> bool:
        """Wait for more trades. False: all is recorded, and the console has it."""
        before, latest = self._begun(), time.monotonic() + PATIENCE_SECONDS
        while not all(trader.is_done() for trader in self._traders):
            if self._begun() >= before + self._every:
                return True
            if time.monotonic() > latest:
                raise RuntimeError("the trading processes do not get on")
            self._restart()
            time.sleep(0.001)
        return False

    def _begun(self) -> int:
        return sum(trader.begun() for trader in self._traders)

    def _kill(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name == "client":
                self._kill_client()
                continue
            server, _ = self._programs[name]
            if server.is_running():
                server.kill()
                self.kills[name] += 1
                time.sleep(DOWN_SECONDS)
        for name in names:
            if name in self._programs:
                self._programs[name][1]()

    def _kill_client(self) -> None:
        if running := [trader for trader in self._traders if not trader.is_done()]:
            trader = self._random.choice(running)
            if self._random.random() < 0.5:
                _wait_within(trader)
            trader.kill()
            self.kills["client"] += 1
            trader.restart()

    def _restart(self) -> None:
        """What ended by itself: a console's supervisor starts it again, too."""
        for name, (server, start) in self._programs.items():
            if not server.is_running():
                self.ended[name] += 1
                start()


def _wait_within(trader: Trader) -> None:
    """Until it has recorded a part of a chunk, which is in no spool yet."""
    latest = time.monotonic() + WITHIN_SECONDS
    while trader.begun() % CHUNK == 0 and time.monotonic() < latest:
        pass


@contextmanager
def trading(rig: Rig, folder: Path, *, trades: int) -> Iterator[list[Trader]]:
    """Trading processes that have so many trades to record in all."""
    traders: list[Trader] = []
    each, rest = divmod(trades, TRADERS)
    try:
        for number in range(TRADERS):
            name = f"trader-{number}"
            traders.append(Trader(rig, folder / name, name=name, count=each + (number < rest)))
        yield traders
    finally:
        for trader in traders:
            trader.kill()


def measure(folder: Path, *, trades: int, every: int) -> dict[str, Any]:
    with Rig(folder, term=2.0, durable=False) as rig:
        made = rig.manage("createtoken", "--user", "reader", "--name", "reader", "--role", "viewer")
        rig.worker.start()
        began = time.monotonic()
        with trading(rig, folder, trades=trades) as traders:
            killer = Killer(rig, traders, every=every)
            killer.run()
        seconds = time.monotonic() - began
        found = judge(rig, made.strip().splitlines()[-1], traders)
    return {**found, "seconds": seconds, "kills": killer.kills, "ended": killer.ended}


def judge(rig: Rig, token: str, traders: list[Trader]) -> dict[str, Any]:
    """What must be equal, what must be zero, and what is worth knowing."""
    database = rig.environ["DATABASE_URL"]
    posted = [name for trader in traders for name in trader.posted()]
    again = [cost for trader in traders for cost in trader.again]
    return {
        "expected": {trader.name: trader.count for trader in traders},
        **totals(database),
        "exposed": exposed(rig.url, token),
        "wrong": sum(len(counted(database, trader.name)[0].wrong()) for trader in traders),
        "misplaced": sum(trader.misplaced for trader in traders),
        "lost": sum(trader.lost for trader in traders),
        "extra": sum(trader.extra for trader in traders),
        "recorded_again": sum(again),
        "most_again": max(again, default=0),
        "batches": len(set(posted)),
        "repeated": sum(trader.repeated for trader in traders),
        "posted_again": len(posted) - len(set(posted)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.metrics_faults")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--trades", type=int, default=1_000_000)
    parser.add_argument("--every", type=int, default=10_000, help="trades between two kills")
    options = parser.parse_args()
    print(json.dumps(measure(options.folder, trades=options.trades, every=options.every)))


if __name__ == "__main__":
    main()
