"""A process says that it has stopped."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from killswitch import selectors, services
from killswitch.choices import ProofState
from killswitch.models import Acknowledgement, Activation, TradingClient
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from opsconsole.live.feeds import Acknowledged, Told
from tests.cast import acting
from tests.killswitch.conftest import Connect


def stop(user: User) -> Activation:
    return services.activate(actor=acting(user), reason="MANUAL", message="").activation


def acknowledge(user: User, client: TradingClient, *activations: int, epoch: int = 1) -> Acknowledged:
    return services.acknowledge(
        actor=acting(user), name=client.name, instance=client.instance, epoch=epoch, activations=activations
    )


def test_refuses_a_process_that_never_connected(trader: User) -> None:
    with pytest.raises(services.UnknownClient):
        acknowledge(trader, TradingClient(name="AAPL", instance="0" * 32), 1)


def test_refuses_another_account(alice: User, connect: Connect) -> None:
    client, episode = connect(), stop(alice)
    with pytest.raises(services.UnknownClient):
        acknowledge(alice, client, episode.pk)
    assert Acknowledgement.objects.get().state == ProofState.PENDING


def test_the_last_one_completes_the_stop(alice: User, trader: User, connect: Connect) -> None:
    first, second = connect("AAPL"), connect("IBM")
    episode = stop(alice)
    assert acknowledge(trader, first, episode.pk, 999) == Acknowledged(
        acknowledged=[episode.pk], unknown=[999]
    )
    assert selectors.status().state == "stopping"
    acknowledge(trader, second, episode.pk)
    episode.refresh_from_db()
    times = [proof.ms for proof in episode.acknowledgements.all() if proof.ms is not None]
    assert selectors.status().state == "stopped"
    assert episode.time_to_stop_ms == max(times)
    event = AuditEvent.objects.get(action="killswitch.stopped")
    assert event.after == {"time_to_stop_ms": episode.time_to_stop_ms, "acknowledged": 2, "lease_expired": 0}


def test_a_repeat_changes_nothing(alice: User, trader: User, connect: Connect) -> None:
    client, episode = connect(), stop(alice)
    acknowledge(trader, client, episode.pk)
    before = Acknowledgement.objects.values().get()
    assert acknowledge(trader, client, episode.pk).acknowledged == [episode.pk]
    assert Acknowledgement.objects.values().get() == before
    assert AuditEvent.objects.filter(action="killswitch.stopped").count() == 1


def test_one_that_comes_late_does_not_rewrite_the_expired_lease(
    alice: User, trader: User, connect: Connect
) -> None:
    client, episode = connect(), stop(alice)
    services.settle(epoch=episode.epoch, waited=60)
    acknowledge(trader, client, episode.pk)
    assert Acknowledgement.objects.get().state == ProofState.LEASE_EXPIRED


def test_one_that_connected_after_the_stop_joins_the_proof(
    alice: User, trader: User, connect: Connect
) -> None:
    connect("AAPL")
    episode = stop(alice)
    acknowledge(trader, connect("IBM"), episode.pk)
    assert episode.acknowledgements.filter(state=ProofState.ACKED).count() == 1
    assert selectors.status().total == 2


def test_an_epoch_beyond_ours_is_not_believed(alice: User, trader: User, connect: Connect) -> None:
    """A console restored from a backup: what the process knows is not what will come."""
    client = connect()
    acknowledge(trader, client, epoch=1000)
    client.refresh_from_db()
    assert client.acknowledged_epoch == 0
    assert stop(alice).acknowledgements.count() == 1


def test_takes_few_queries_however_many_processes(alice: User, trader: User, connect: Connect) -> None:
    clients = [connect(f"P{number}") for number in range(8)]
    episode = stop(alice)
    with CaptureQueriesContext(
        connection,
    ) as few:
        acknowledge(trader, clients[0], episode.pk)
    assert len(few) <= 4


def test_several_that_arrive_together_are_one_commit_and_complete_the_stop(
    alice: User, connect: Connect
) -> None:
    clients = [connect(f"P{number}") for number in range(8)]
    episode = stop(alice)
    told = [Told(client.pk, episode.epoch, (episode.pk, 999)) for client in clients]
    with CaptureQueriesContext(connection) as few:
        answers = services.acknowledge_all(told=[*told, told[0]])
    assert answers == [Acknowledged(acknowledged=[episode.pk], unknown=[999])] * 9
    assert set(Acknowledgement.objects.values_list("state", flat=True)) == {ProofState.ACKED}
    episode.refresh_from_db()
    assert episode.stopped_at is not None
    assert AuditEvent.objects.filter(action="killswitch.stopped").count() == 1
    assert sum("INSERT INTO killswitch_acknowledgement" in query["sql"] for query in few) == 1
    assert set(TradingClient.objects.values_list("acknowledged_epoch", flat=True)) == {episode.epoch}
