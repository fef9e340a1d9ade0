"""Many at once, on real connections; and a process that is suspended while it holds the lock."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import DatabaseError, connections

from killswitch import selectors, services
from killswitch.choices import ProofState
from killswitch.locking import bounded, lock_epoch
from killswitch.models import Acknowledgement, Activation, Epoch
from opsconsole.accounts.models import User
from tests.at_once import Run, at_once
from tests.cast import acting
from tests.killswitch.conftest import HUB, Connect

__all__ = ["at_once"]

pytestmark = pytest.mark.django_db(transaction=True)


def stop(user: User, scope: str = "global") -> services.ActivationOutcome:
    return services.activate(actor=acting(user), reason="MANUAL", message="", scope=scope)


def test_32_stops_at_once_are_one(alice: User, at_once: Run) -> None:
    outcomes = at_once([lambda: stop(alice)] * 32)
    assert sum(outcome.changed for outcome in outcomes) == 1
    assert {outcome.activation.pk for outcome in outcomes} == {Activation.objects.get().pk}
    assert Epoch.objects.get().value == 1


def test_stops_of_many_scopes_and_re_arms_never_wait_for_each_other_for_ever(
    alice: User, at_once: Run
) -> None:
    def again(scope: str) -> None:
        for _ in range(5):
            stop(alice, scope)
            services.deactivate(actor=acting(alice), message="", scope=scope)

    scopes = ["global", *(f"symbol:S{number}" for number in range(7))]
    at_once([lambda scope=scope: again(scope) for scope in scopes])  # type: ignore[misc]
    epochs = list(Activation.objects.values_list("epoch", flat=True))
    assert len(set(epochs)) == len(epochs) == 40
    assert Epoch.objects.get().value == 80
    assert selectors.status().scopes == []


def test_acknowledgements_while_time_settles_give_each_process_one_proof(
    alice: User, trader: User, connect: Connect, at_once: Run
) -> None:
    processes = [connect(f"P{number}") for number in range(16)]
    episode = stop(alice).activation

    def acknowledge(number: int) -> None:
        process = processes[number]
        services.acknowledge(
            actor=acting(trader),
            name=process.name,
            instance=process.instance,
            epoch=episode.epoch,
            activations=[episode.pk],
        )

    settle = [lambda: services.settle(epoch=episode.epoch, waited=60, hub=HUB)] * 4
    at_once([*(lambda number=number: acknowledge(number) for number in range(16)), *settle])
    episode.refresh_from_db()
    proofs = list(Acknowledgement.objects.all())
    assert len(proofs) == 16
    assert all(proof.state != ProofState.PENDING for proof in proofs)
    assert episode.time_to_stop_ms == max(proof.ms for proof in proofs if proof.ms is not None)


def test_32_acknowledgements_at_once_complete_the_stop_by_themselves(
    alice: User, trader: User, connect: Connect, at_once: Run
) -> None:
    processes = [connect(f"P{number}") for number in range(32)]
    episode = stop(alice).activation
    at_once(
        [
            lambda process=process: services.acknowledge(  # type: ignore[misc]
                actor=acting(trader),
                name=process.name,
                instance=process.instance,
                epoch=1,
                activations=[episode.pk],
            )
            for process in processes
        ]
    )
    assert selectors.status().state == "stopped"


def test_a_process_suspended_while_it_holds_the_lock_blocks_nobody_for_long(alice: User) -> None:
    """As a web process would be under SIGSTOP: in a transaction of the kill switch, and silent."""
    held, over = Event(), Event()

    @bounded
    def hold() -> None:
        lock_epoch()
        held.set()
        over.wait(timeout=60)
        lock_epoch()

    def suspended() -> str:
        try:
            hold()
        except DatabaseError as error:
            return type(error.__cause__).__name__
        finally:
            connections.close_all()
        return "went on"

    with ThreadPoolExecutor(max_workers=1) as pool:
        ended = pool.submit(suspended)
        assert held.wait(timeout=20)
        assert stop(alice).changed
        over.set()
        assert ended.result(timeout=20) == "IdleInTransactionSessionTimeout"
