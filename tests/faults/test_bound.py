"""The promise: a term after a stop is committed, or after a fault that lets no lease through, nobody trades.

`script/bench faults` runs it in full.
"""

from dataclasses import replace

import pytest

from bench.fault_kinds import CLOCK_FAULTS, FAULTS, Fault
from bench.fault_matrix import Matrix
from bench.fleet import Fleet, can_step_wall_clock


def name_of(fault: Fault) -> str:
    return fault.name


@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
def test_no_order_is_allowed_after_the_bound(running: Matrix, fault: Fault) -> None:
    outcome = running.run(fault)
    assert outcome.late == 0, f"the last order came {outcome.last_order:.3f} s after, L = {outcome.term} s"
    assert outcome.early == 0
    assert outcome.stopped == fault.stoppable


@pytest.mark.parametrize("fault", CLOCK_FAULTS, ids=name_of)
def test_a_stepped_wall_clock_changes_nothing(running: Matrix, fault: Fault) -> None:
    if not can_step_wall_clock(running.scene.rig.path):
        pytest.skip("stepping a process's wall clock takes a C compiler")
    outcome = running.run(fault)
    assert outcome.late == 0, f"the last order came {outcome.last_order:.3f} s after, L = {outcome.term} s"
    assert outcome.early == 0


def test_a_process_that_ignores_its_lease_is_seen(running: Matrix) -> None:
    """The control: these tests would notice an order after the bound."""
    [killed] = [fault for fault in FAULTS if fault.name == "web killed"]
    rig, proxy = running.scene.rig, running.scene.proxy
    folder = rig.path / "careless"
    folder.mkdir()
    environ = rig.client_environ(f"http://127.0.0.1:{proxy.port}")
    with Fleet(folder, count=2, every=0.005, environ=environ, on_contact_lost="keep") as careless:
        outcome = replace(running, scene=replace(running.scene, fleet=careless)).run(killed)
    assert outcome.late == 2
