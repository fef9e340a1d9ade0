"""Proof by time alone: only a clock of one's own proves it."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from killswitch import selectors, services
from killswitch.choices import ProofState
from killswitch.models import Acknowledgement, Activation, TradingClient
from killswitch.services.proofs import conclude
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.cast import acting
from tests.killswitch.conftest import HUB, Connect

TERM = timedelta(seconds=settings.LEASE_TERM)


@pytest.fixture
def episode(alice: User, connect: Connect) -> Activation:
    connect("AAPL")
    return services.activate(actor=acting(alice), reason="MANUAL", message="").activation


def state() -> str:
    return Acknowledgement.objects.get().state


@pytest.mark.parametrize("waited", [0.0, settings.LEASE_TERM, settings.LEASE_TERM * 1.01])
def test_less_than_a_full_term_and_a_margin_proves_nothing(episode: Activation, waited: float) -> None:
    assert services.settle(epoch=episode.epoch, waited=waited) is True
    assert state() == ProofState.PENDING


def test_an_epoch_not_yet_seen_proves_nothing(episode: Activation) -> None:
    assert services.settle(epoch=episode.epoch - 1, waited=60) is False
    assert state() == ProofState.PENDING


def test_another_hubs_leases_prove_nothing(episode: Activation) -> None:
    assert (
        services.settle(epoch=episode.epoch, waited=0, hub="hub-2", own_leases_until=timezone.now()) is True
    )
    assert state() == ProofState.PENDING


def test_a_full_term_proves_everybody(episode: Activation) -> None:
    assert services.settle(epoch=episode.epoch, waited=settings.LEASE_TERM * 1.01 + 0.011) is False
    proof = Acknowledgement.objects.get()
    episode.refresh_from_db()
    assert episode.confirmed_at is not None
    assert (proof.state, proof.at) == (ProofState.LEASE_EXPIRED, episode.confirmed_at + TERM)
    assert (episode.stopped_at, episode.time_to_stop_ms) == (proof.at, proof.ms)
    event = AuditEvent.objects.get(action="killswitch.stopped")
    assert event.after is not None
    assert event.after["lease_expired"] == 1


def test_a_stream_that_came_less_than_a_term_before_may_hold_a_lease_of_another_hub(
    episode: Activation,
) -> None:
    TradingClient.objects.update(connected_at=episode.activated_at - TERM / 2)
    until = episode.activated_at + TERM / 4
    assert services.settle(epoch=episode.epoch, waited=1, hub=HUB, own_leases_until=until) is True
    assert state() == ProofState.PENDING


def test_a_hub_that_waited_out_its_own_leases_proves_its_own_streams(
    episode: Activation, connect: Connect
) -> None:
    TradingClient.objects.update(connected_at=episode.activated_at - TERM)
    until = episode.activated_at + timedelta(milliseconds=700)
    assert services.settle(epoch=episode.epoch, waited=0.9, hub=HUB, own_leases_until=until) is False
    proof = Acknowledgement.objects.get()
    assert (proof.state, proof.at, proof.ms) == (ProofState.LEASE_EXPIRED, until, 700)


def test_a_stream_that_ended_counts_until_its_last_lease(episode: Activation) -> None:
    client = TradingClient.objects.get()
    until = episode.activated_at + timedelta(milliseconds=300)
    TradingClient.objects.update(hub="", lease_until=until)
    services.settle(epoch=episode.epoch, waited=60)
    proof = client.acknowledgements.get()
    assert (proof.at, proof.ms) == (until, 300)


def test_a_lease_that_was_over_before_the_stop_takes_no_time(episode: Activation) -> None:
    TradingClient.objects.update(hub="", lease_until=episode.activated_at - TERM)
    services.settle(epoch=episode.epoch, waited=60)
    assert Acknowledgement.objects.get().ms == 0


def test_confirms_a_stop_whose_process_died_after_the_commit(episode: Activation) -> None:
    Activation.objects.update(confirmed_at=None)
    assert services.settle(epoch=episode.epoch, waited=0) is True
    episode.refresh_from_db()
    assert episode.confirmed_at is not None


def test_who_registered_meanwhile_is_waited_for(episode: Activation, connect: Connect) -> None:
    """Its registration was not visible to the stop's transaction, so it may hold a lease from before the commit."""
    late = connect("LATE")
    Acknowledgement.objects.update(state=ProofState.ACKED, ms=1, at=timezone.now())
    assert conclude(episode.pk) is False
    assert late.acknowledgements.get().state == ProofState.PENDING
    assert selectors.status().state == "stopping"


def test_who_had_applied_the_stop_when_it_came_is_not_waited_for(
    episode: Activation, connect: Connect
) -> None:
    TradingClient.objects.filter(pk=connect("LATE").pk).update(acknowledged_epoch=episode.epoch)
    Acknowledgement.objects.update(state=ProofState.ACKED, ms=1, at=timezone.now())
    assert conclude(episode.pk) is True
