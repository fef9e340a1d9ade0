"""What is allowed, as a function of snapshots, leases and this process' own stops."""

import signal

import pytest
from opsclient import KillSwitch, clock, lease
from opsclient.gate import Gate, LocalStop
from opsclient.reasons import Mode
from opsclient.snapshot import Snapshot, Stop

FAR = clock.now() + 1e6


def stop(scope: str = "global", mode: Mode = Mode.HALTED, activation: int | None = None) -> Stop:
    return Stop(scope, mode, "MANUAL", "m", {}, "", "", activation)


@pytest.fixture
def gate() -> Gate:
    return Gate(own=frozenset({"symbol:A"}), follows_console=True)


def follow(gate: Gate, epoch: int, *stops: Stop) -> None:
    assert gate.apply(Snapshot(epoch, stops)) is not None
    assert gate.extend(epoch=epoch, until=FAR)


def allowed(
    gate: Gate, symbol: str | None = None, *, strategy: str | None = None, reduce_only: bool = False
) -> bool:
    view = gate.view
    blocking = view.blocking((None, None, strategy, symbol), reduce_only=reduce_only)
    return view.until > clock.now() and blocking is None


def test_a_lease_before_any_state_counts_for_nothing(gate: Gate) -> None:
    assert not gate.extend(epoch=0, until=FAR)
    assert gate.view.deadline == lease.NONE


@pytest.mark.parametrize("epoch", [4, 6])
def test_a_lease_of_another_epoch_counts_for_nothing(gate: Gate, epoch: int) -> None:
    gate.apply(Snapshot(5))
    assert not gate.extend(epoch=epoch, until=FAR)
    assert not allowed(gate)


def test_an_older_snapshot_re_arms_nobody(gate: Gate) -> None:
    follow(gate, 5, stop(activation=1))
    assert gate.apply(Snapshot(4)) is None
    assert not gate.extend(epoch=4, until=FAR)
    assert not allowed(gate)
    assert gate.view.epoch == 5


def test_a_late_lease_never_shortens_the_one_held(gate: Gate) -> None:
    follow(gate, 5)
    gate.extend(epoch=5, until=FAR - 100)
    assert gate.view.deadline == FAR


def test_the_whole_check_is_one_deadline_while_nothing_is_stopped(gate: Gate) -> None:
    seen: list[float] = []
    gate.subscribe(seen.append)
    follow(gate, 5)
    assert seen[-1] == FAR
    follow(gate, 6, stop("symbol:B", activation=1))
    assert seen[-1] == lease.NONE
    assert allowed(gate), "the stop of another symbol does not cover this process"
    assert not allowed(gate, "B")
    assert allowed(gate, "C")


def test_reduce_only_lets_reducing_orders_pass(gate: Gate) -> None:
    follow(gate, 5, stop(mode=Mode.REDUCE_ONLY, activation=1))
    assert not allowed(gate)
    assert allowed(gate, reduce_only=True)
    follow(gate, 6, stop(mode=Mode.REDUCE_ONLY, activation=1), stop("symbol:A", activation=2))
    assert not allowed(gate, reduce_only=True)
    assert gate.view.mode is Mode.HALTED


def test_a_stop_of_this_process_becomes_the_consoles(gate: Gate) -> None:
    follow(gate, 5)
    local = LocalStop(stop(), "call", "key")
    (episode,) = gate.halt(local).opened
    assert not allowed(gate)
    change = gate.apply(Snapshot(6, (stop(activation=9),)))
    assert change is not None
    assert (change.opened, change.closed) == ([], [])
    assert episode.activation == 9
    gate.settle(local, 6)
    assert gate.locals == []
    assert not allowed(gate)
    change = gate.apply(Snapshot(7))
    assert change is not None
    assert change.closed == [episode]


def test_a_delivered_stop_holds_until_its_epoch_is_applied(gate: Gate) -> None:
    follow(gate, 5)
    local = LocalStop(stop(), "call", "key")
    gate.halt(local)
    gate.settle(local, 8)
    follow(gate, 7)
    assert not allowed(gate)
    follow(gate, 8)
    assert allowed(gate), "whatever 8 says is the console's word on this stop"


def test_an_undelivered_stop_survives_any_epoch(gate: Gate) -> None:
    gate.halt(LocalStop(stop(), "call", "key"))
    follow(gate, 99)
    assert not allowed(gate)


def test_the_override_lifts_stops_until_the_next_epoch_but_replaces_no_lease(gate: Gate) -> None:
    gate.apply(Snapshot(5, (stop(activation=1),)))
    gate.set_override(on=True)
    assert not allowed(gate)
    gate.extend(epoch=5, until=FAR)
    assert allowed(gate)
    follow(gate, 5, stop(activation=1))
    assert allowed(gate)
    follow(gate, 6, stop(activation=1))
    assert not allowed(gate)


def test_the_override_ends_with_a_new_stop_and_spares_the_halt_file(gate: Gate) -> None:
    follow(gate, 5, stop(activation=1))
    gate.set_override(on=True)
    gate.halt(LocalStop(stop(), "call", "key"))
    assert not allowed(gate)
    gate.lift(lambda _: True)
    gate.halt(LocalStop(stop(), "file", "key"))
    gate.set_override(on=True)
    assert not allowed(gate)


def test_keep_needs_the_first_state_and_a_console_that_is_not_behind() -> None:
    gate = Gate(own=frozenset(), follows_console=True, keep=True)
    assert not allowed(gate)
    gate.apply(Snapshot(5))
    assert allowed(gate)
    gate.apply(Snapshot(4))
    assert not allowed(gate)


def test_a_dead_watcher_of_the_halt_file_allows_nothing() -> None:
    gate = Gate(own=frozenset(), follows_console=False)
    assert allowed(gate)
    gate.watch(clock.now() - 0.1)
    assert not allowed(gate)


def test_after_a_fork_the_child_has_no_lease_but_keeps_the_epoch(gate: Gate) -> None:
    follow(gate, 5)
    gate.restart_in_child()
    assert not allowed(gate)
    assert not gate.extend(epoch=5, until=FAR), "the child has not applied a state of its own stream yet"
    assert gate.apply(Snapshot(4)) is None


def test_escalation_is_an_episode_of_its_own(gate: Gate) -> None:
    follow(gate, 5, stop(mode=Mode.REDUCE_ONLY, activation=1))
    change = gate.apply(Snapshot(6, (stop(activation=2),)))
    assert change is not None
    assert [episode.activation for episode in change.opened] == [2]
    assert [episode.activation for episode in change.closed] == [1]


def test_an_order_of_which_the_kind_is_not_known_may_lie_inside(gate: Gate) -> None:
    follow(gate, 5, stop("strategy:momentum", activation=1))
    assert not allowed(gate)
    assert not allowed(gate, "A")
    assert allowed(gate, strategy="pairs")
    assert not allowed(gate, strategy="momentum")


def test_a_kind_that_this_version_does_not_know_covers_everything(gate: Gate) -> None:
    follow(gate, 5, stop("desk:7", activation=1))
    assert not allowed(gate, "B", strategy="pairs")


def test_the_scopes_of_the_process_hold_for_every_order(gate: Gate) -> None:
    follow(gate, 5, stop("symbol:A", activation=1))
    assert not allowed(gate, "B")


def test_a_stop_by_a_signal_handler_in_the_midst_of_a_change_holds(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(gate, 5)
    gate.halt(LocalStop(stop(), "call", "first"))
    original = gate._until
    handled: list[bool] = []

    def interrupted() -> float:
        if not handled:
            handled.append(True)
            gate.halt(LocalStop(stop(), "call", "by the handler"))
        return original()

    monkeypatch.setattr(gate, "_until", interrupted)
    gate.lift(lambda local: local.key == "first")
    assert [local.key for local in gate.locals] == ["by the handler"]
    assert not allowed(gate)


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="no such signal here")
def test_stopping_in_a_signal_handler_never_hangs() -> None:
    switch = KillSwitch()
    switch.register_on_activate(lambda *_: None)
    before = signal.signal(
        signal.SIGUSR1, lambda *_: switch.activate_sync("MANUAL", "by signal", wait_s=0) and None
    )
    try:
        for _ in range(300):
            signal.raise_signal(signal.SIGUSR1)
            assert not switch.is_trading_allowed()
            switch.deactivate_sync("again")
    finally:
        signal.signal(signal.SIGUSR1, before)
