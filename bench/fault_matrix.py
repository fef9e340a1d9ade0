"""Injects faults into a running console with trading processes, stops trading while they last, and looks for
an order after the bound.

The bound: a term after the stop was committed, or, where the fault by itself lets no lease through, a term
after the fault began, whichever is sooner. An order counts as late by the clock read just *before* the
process asked: a process that is suspended between its question and its note must not count as late for that.
"""

import math
import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.board import Row
from bench.fault_kinds import CLOCK_FAULTS, FAULTS, Fault, Scene
from bench.fleet import Fleet, can_step_wall_clock, wait_until
from bench.proxy import Proxy
from bench.rig import Operator, Rig, operator
from demo.clock import boot_ns

# Orders are looked for until so long after the bound, as parts of a term; the longest wait for trade to begin
# again, seconds.
BEYOND = 0.2
RECOVERY = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One injected fault. Times in seconds after the moment from which the bound counts."""

    fault: str
    term: float
    stopped: bool
    # The latest order of any process; negative: before the moment itself.
    last_order: float
    # Processes that were allowed an order after the bound.
    late: int
    # Processes that were allowed an order after the console held them proven to have stopped.
    early: int
    # From the end of the fault (or the re-arm) until every process traded again.
    recovery: float


@dataclass(slots=True)
class Matrix:
    """A running console, its trading processes, and the operator."""

    scene: Scene
    operator: Operator
    faults: tuple[Fault, ...]
    random: random.Random

    @property
    def term(self) -> float:
        return self.scene.rig.term

    def run(self, fault: Fault) -> Outcome:
        """Inject one fault, and stop trading in it at a random time where that can be done. Raises LateError."""
        fleet = self.scene.fleet
        fleet.wait_trading(seconds=RECOVERY)
        began = fault.inject(self.scene)
        if not fault.severs and not fault.freezes_clients:
            # Such a fault must not stop anybody by itself.
            fleet.wait_trading(seconds=self.term)
        stop = self._stop_sometime() if fault.stoppable else None
        origin = began if stop is None or fault.severs else stop["committed"]
        bound = origin + round(self.term * 1e9)
        self._wait_past(bound)
        if fault.freezes_clients:
            fault.undo(self.scene)
            self._wait_for_tries()
        self._wait_for_tries()
        rows, early = fleet.rows(), 0
        if not fault.freezes_clients:
            fault.undo(self.scene)
        if stop is not None:
            rows, early = self._rearm(stop)
        over = boot_ns()
        fleet.wait_trading(seconds=RECOVERY)
        return Outcome(
            fault=fault.name,
            term=self.term,
            stopped=stop is not None,
            last_order=(max(row.asked for row in rows) - origin) / 1e9,
            late=sum(row.asked > bound for row in rows),
            early=early,
            recovery=(boot_ns() - over) / 1e9,
        )

    def _stop_sometime(self) -> dict[str, Any]:
        threading.Event().wait(self.random.uniform(0, self.term))
        return self.operator.ask("stop")

    def _rearm(self, stop: dict[str, Any]) -> tuple[list[Row], int]:
        """Re-arm once the console holds everybody proven. Returns the orders until then, and how many processes belied their proof."""
        fleet = self.scene.fleet
        # Trading must not begin again by itself when the fault is over.
        fleet.wait_epoch(stop["epoch"], seconds=RECOVERY)
        proof: dict[str, Any] = {}

        def stopped() -> bool:
            proof.update(self.operator.ask("proof", activation=stop["activation"]))
            return bool(proof["stopped"])

        wait_until(stopped, "every process is proven", seconds=RECOVERY, every=0.05)
        self._wait_for_tries()
        rows = fleet.rows()
        self.operator.ask("rearm")
        # Proofs count from a time before the commit, so these are their latest moments by our clock.
        moments = {int(pid): stop["committing"] + ms * 1e6 for pid, ms in proof["proofs"].items()}
        return rows, sum(row.asked > moments.get(row.pid, math.inf) for row in rows)

    def _wait_past(self, bound: int) -> None:
        until = bound + round(BEYOND * self.term * 1e9)
        wait_until(lambda: boot_ns() > until, "the bound passes", seconds=2 * self.term + 5)

    def _wait_for_tries(self) -> None:
        """Every process has tried since now, several times: had it been allowed, it would show."""
        fleet = self.scene.fleet
        before = [row.tries for row in fleet.rows()]
        wait_until(
            lambda: all(row.tries >= count + 5 for row, count in zip(fleet.rows(), before, strict=True)),
            "every process tries",
        )


@contextmanager
def matrix(
    folder: Path, *, term: float, clients: int, every: float = 0.005, durable: bool = True
) -> Iterator[Matrix]:
    """Bring up a console in `folder`, `clients` processes that reach it through a proxy, and the operator."""
    with ExitStack() as stack:
        rig = stack.enter_context(Rig(folder, term=term, durable=durable))
        proxy = Proxy(rig.host, rig.port)
        stack.callback(proxy.close)
        environ = rig.client_environ(f"http://127.0.0.1:{proxy.port}")
        fleet = stack.enter_context(Fleet(folder, count=clients, every=every, environ=environ))
        commands = stack.enter_context(operator(rig))
        faults = FAULTS + (CLOCK_FAULTS if can_step_wall_clock(folder) else ())
        yield Matrix(Scene(rig, proxy, fleet), commands, faults, random.Random(20081006))
