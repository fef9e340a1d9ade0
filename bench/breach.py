"""From a value beyond its threshold, recorded in a trading process, to the commit of the stop that a trigger makes of it.

`python -m bench.breach --folder DIR` prints milliseconds as JSON. A breach counts from just before the call that records it. The stop's time is
the clock when PostgreSQL's notification of its commit has arrived here, which is sent by the commit and comes after it: both make the figure
larger, never smaller.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg

from bench.alerts import json_of
from bench.figures import Figure, at_most, percentile, seen
from bench.fleet import wait_until
from bench.result import Result
from bench.rig import ROOT, Operator, Rig, operator
from demo.clock import boot_ns

NOW_ROUNDS, FLUSHED_ROUNDS = 64, 32
# Seconds between a re-arm and the next breach: a second apart at most, so that the breach comes at any time between two flushes.
REST = (0.5, 1.5)
TERM = 2.0
LONGEST = 10.0


@dataclass(frozen=True, slots=True)
class Way:
    """One way to pass a threshold: the triggers, what is changed in them, the stop's reason, and the values beyond and well within."""

    triggers: tuple[str, ...]
    values: dict[str, Any]
    reason: str
    beyond: dict[str, Any]
    within: dict[str, Any]


# Both limits of loss at once; update_portfolio flushes by itself.
NOW = Way(
    ("daily-loss-usd", "daily-loss-pct"),
    {"confirmations": 1},
    "DAILY_LOSS_LIMIT",
    {"portfolio": {"value_usd": 378_000, "daily_pnl_usd": -22_000}},
    {"portfolio": {"value_usd": 400_000, "daily_pnl_usd": 0}},
)
# A gauge that waits for the flush of each second.
FLUSHED = Way(
    ("risk-score",),
    {"confirmations": 1, "action": "STOP"},
    "RISK_THRESHOLD",
    {"risk": 90},
    {"risk": 10},
)


class Trader:
    """The trading process (`bench.breach_trader`)."""

    def __init__(self, rig: Rig) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.breach_trader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **rig.client_environ(), "OPSCLIENT_SPOOL_DIR": str(rig.path / "spool")},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=10)

    def tell(self, do: str, **what: Any) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the trading process was started without pipes")
        print(json.dumps({"do": do, **what}), file=self._process.stdin, flush=True)

    def answer(self) -> dict[str, Any]:
        """Raises RuntimeError when the process has ended, after its own message."""
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise RuntimeError("the trading process has ended; its message stands above")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        self.tell(do, **what)
        return self.answer()


class Witness:
    """Sees in the database what becomes of a breach."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        connection.execute("LISTEN opsconsole")

    def newest(self) -> int:
        """The activation that came last, or 0."""
        found = self._connection.execute("SELECT max(id) FROM killswitch_activation").fetchone()
        return int(found[0] or 0) if found else 0

    def wait_stop(self, *, after: int) -> tuple[int, int]:
        """The first activation after this one, and the steady clock (ns) when its commit was heard of. Raises RuntimeError."""
        for notification in self._connection.notifies(timeout=LONGEST):
            now, said = boot_ns(), json.loads(notification.payload)
            if said["topic"] == "killswitch" and said["ids"][0] > after:
                return said["ids"][0], now
        raise RuntimeError(f"no stop within {LONGEST:g} s of a breach")

    def check(self, activation: int, reason: str) -> None:
        """Raises RuntimeError unless it is the triggers' own stop."""
        query = "SELECT activated_by, mode, scope, reason FROM killswitch_activation WHERE id = %s AND ended_at IS NULL"
        found = self._connection.execute(query, [activation]).fetchone()
        if found != ("triggers", "HALTED", "global", reason):
            raise RuntimeError(f"another stop than the one that was measured: {found}")

    def are_clear(self, triggers: tuple[str, ...]) -> bool:
        query = (
            "SELECT count(*) FROM monitoring_triggerstate s JOIN monitoring_trigger t ON t.id = s.trigger_id"
            " WHERE name = ANY(%s) AND condition = 'CLEAR'"
        )
        found = self._connection.execute(query, [list(triggers)]).fetchone()
        return found == (len(triggers),)


@dataclass(frozen=True, slots=True)
class Bench:
    """A running console, its trading process, and those who watch and re-arm."""

    trader: Trader
    witness: Witness
    operator: Operator
    random: random.Random

    def run(self, way: Way, rounds: int) -> dict[str, list[float]]:
        """Milliseconds after each breach: `committed`, the stop; `heard`, by the process itself."""
        for trigger in way.triggers:
            self.operator.ask("tune", trigger=trigger, values=way.values)
        found: dict[str, list[float]] = {"committed": [], "heard": []}
        self._settle(way)
        for number in range(rounds + 1):
            committed, heard = self._breach(way)
            self._settle(way)
            self.operator.ask("rearm")
            if number:  # the first one makes every series
                found["committed"].append(committed)
                found["heard"].append(heard)
        return found

    def _breach(self, way: Way) -> tuple[float, float]:
        self.trader.ask("trade")
        time.sleep(self.random.uniform(*REST))
        before = self.witness.newest()
        self.trader.tell("breach", **way.beyond)
        activation, committed = self.witness.wait_stop(after=before)
        answer = self.trader.answer()
        self.witness.check(activation, way.reason)
        return (committed - answer["called"]) / 1e6, (answer["heard"] - answer["called"]) / 1e6

    def _settle(self, way: Way) -> None:
        """The value goes back, and the triggers are clear."""
        if not self.trader.ask("report", **way.within)["reported"]:
            raise RuntimeError("the console did not take a batch")
        wait_until(lambda: self.witness.are_clear(way.triggers), "the triggers are clear", seconds=5)


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    with (
        Rig(folder, term=TERM) as rig,
        psycopg.connect(rig.environ["DATABASE_URL"], autocommit=True) as connection,
        operator(rig) as commands,
        Trader(rig) as trader,
    ):
        yield Bench(trader, Witness(connection), commands, random.Random(20080929))


def breach(folder: Path) -> Result:
    """The part of `script/bench`."""
    found = json_of(["bench.breach", "--folder", str(folder)])
    figures = [
        *_of("breach by update_portfolio, which flushes at once", found["now"], 250),
        *_of("breach by a gauge, one-second flushes", found["flushed"], 1500),
    ]
    return Result(figures, found)


def _of(what: str, found: dict[str, list[float]], limit: float) -> list[Figure]:
    committed, heard = sorted(found["committed"]), found["heard"]
    return [
        at_most(
            f"{what} → stop committed, p99 of {len(committed)}", percentile(committed, 0.99), limit, "ms"
        ),
        seen(f"{what} → stop committed, median", percentile(committed, 0.5), "ms"),
        seen(f"{what} → heard by the process, p99", percentile(heard, 0.99), "ms"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.breach", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--now-rounds", type=int, default=NOW_ROUNDS)
    parser.add_argument("--flushed-rounds", type=int, default=FLUSHED_ROUNDS)
    options = parser.parse_args()
    with bench(options.folder) as prepared:
        found = {
            "now": prepared.run(NOW, options.now_rounds),
            "flushed": prepared.run(FLUSHED, options.flushed_rounds),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
