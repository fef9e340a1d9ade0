"""The faults that are injected, each with how it is undone. What a fault proves is checked in
`bench.fault_matrix`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bench.fleet import Fleet
from bench.proxy import Proxy
from bench.rig import Rig
from demo.clock import boot_ns

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault can be done to."""

    rig: Rig
    proxy: Proxy
    fleet: Fleet


@dataclass(frozen=True, slots=True)
class Fault:
    """`inject` returns the steady clock (ns) at a time from which the fault was in force.

    `severs`: no lease can be granted while it lasts, so it stops trading by itself, a term after it began.
    `stoppable`: the database still takes a stop while it lasts.
    `freezes_clients`: the load processes do not run while it lasts, so they are looked at once it is over.
    """

    name: str
    inject: Callable[[Scene], int]
    undo: Callable[[Scene], None]
    severs: bool
    stoppable: bool = True
    freezes_clients: bool = False


def _start_web(scene: Scene) -> None:
    scene.rig.start_web()


def _start_postgres(scene: Scene) -> None:
    scene.rig.postgres.start()
    scene.rig.wait_postgres()


def _start_valkey(scene: Scene) -> None:
    scene.rig.valkey.start()
    scene.rig.wait_valkey()


def _freeze_clients(scene: Scene) -> int:
    scene.fleet.freeze()
    return boot_ns()


def _step_clients(seconds: float) -> Callable[[Scene], int]:
    def step(scene: Scene) -> int:
        scene.fleet.wall_shift.step(seconds)
        return boot_ns()

    return step


def _step_web(seconds: float) -> Callable[[Scene], int]:
    def step(scene: Scene) -> int:
        scene.rig.wall_shift.step(seconds)
        return boot_ns()

    return step


def _right_clocks(scene: Scene) -> None:
    scene.fleet.wall_shift.step(0)
    scene.rig.wall_shift.step(0)


FAULTS = (
    Fault("web killed", lambda scene: scene.rig.web.kill(), _start_web, severs=True),
    Fault(
        "web suspended", lambda scene: scene.rig.web.freeze(), lambda scene: scene.rig.web.thaw(), severs=True
    ),
    Fault(
        "PostgreSQL frozen",
        lambda scene: scene.rig.postgres.freeze(),
        lambda scene: scene.rig.postgres.thaw(),
        severs=True,
        stoppable=False,
    ),
    Fault(
        "PostgreSQL stopped",
        lambda scene: scene.rig.postgres.stop(),
        _start_postgres,
        severs=True,
        stoppable=False,
    ),
    Fault("Valkey stopped", lambda scene: scene.rig.valkey.kill(), _start_valkey, severs=False),
    Fault(
        "stream cut without FIN",
        lambda scene: scene.proxy.cut(),
        lambda scene: scene.proxy.heal(),
        severs=True,
    ),
    Fault(
        "clients suspended",
        _freeze_clients,
        lambda scene: scene.fleet.thaw(),
        severs=False,
        freezes_clients=True,
    ),
)

# Only where the wall clock can be stepped (a C compiler is needed).
CLOCK_FAULTS = (
    Fault("clients' wall clock +1 h", _step_clients(HOUR), _right_clocks, severs=False),
    Fault("clients' wall clock -1 h", _step_clients(-HOUR), _right_clocks, severs=False),
    Fault("console's wall clock +1 h", _step_web(HOUR), _right_clocks, severs=False),
    Fault("console's wall clock -1 h", _step_web(-HOUR), _right_clocks, severs=False),
)
