"""Injects faults into a running console with trading processes, stops trading while they last, and looks for
an order after the bound.

The bound: a term after the stop was committed, or, where the fault by itself lets no lease through, a term
after the fault began, whichever is sooner. An order counts as late by the clock read just *before* the
process asked: a process that is suspended between its question and its note must not count as late for that.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

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
        origin, epoch = began, 0
        if not fault.severs and not fault.freezes_clients:
            # Such a fault must not stop anybody by itself.
            fleet.wait_trading(seconds=self.term)
        if fault.stoppable:
            threading.Event().wait(self.random.uniform(0, self.term))
            stop = self.operator.ask("stop")
            epoch = stop["epoch"]
            origin = began if fault.severs else stop["committed"]
        bound = origin + round(self.term * 1e9)
        self._wait_past(bound)
        if fault.freezes_clients:
            fault.undo(self.scene)
            self._wait_for_tries(fleet)
        self._wait_for_tries(fleet)
        rows = fleet.rows()
        if not fault.freezes_clients:
            fault.undo(self.scene)
        if epoch:
            # Trading must not begin again by itself once the fault is over.
            fleet.wait_epoch(epoch, seconds=RECOVERY)
            self._wait_for_tries(fleet)
            rows = fleet.rows()
            self.operator.ask("rearm")
        over = boot_ns()
        fleet.wait_trading(seconds=RECOVERY)
        return Outcome(
            fault=fault.name,
            term=self.term,
            stopped=bool(epoch),
            last_order=(max(row.asked for row in rows) - origin) / 1e9,
            late=sum(row.asked > bound for row in rows),
            recovery=(boot_ns() - over) / 1e9,
        )

    def _wait_past(self, bound: int) -> None:
        until = bound + round(BEYOND * self.term * 1e9)
        wait_until(lambda: boot_ns() > until, "the bound passes", seconds=2 * self.term + 5)

    def _wait_for_tries(self, fleet: Fleet) -> None:
        """Every process has tried since now, several times: had it been allowed, it would show."""
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
