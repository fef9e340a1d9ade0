"""Stopping: what changes, who takes part, what is written."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from killswitch import selectors, services
from killswitch.choices import Mode, ProofState
from killswitch.models import Acknowledgement, Activation, Epoch, Switch, TradingClient
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from opsconsole.live.publish import CHANNEL
from tests.cast import acting
from tests.killswitch.conftest import Connect


def stop(user: User, **fields: object) -> services.ActivationOutcome:
    given = {"reason": "MANUAL", "message": "too hot"} | fields
    return services.activate(actor=acting(user), **given)  # type: ignore[arg-type]


def test_stops_and_writes_the_episode(alice: User, connect: Connect) -> None:
    client = connect()
    outcome = stop(alice, reason="VOLATILITY", metadata={"vix": 80})
    switch = Switch.objects.get(scope="global")
    episode = Activation.objects.get()
    assert outcome.changed
    assert (switch.mode, switch.activation, switch.epoch, switch.by) == (Mode.HALTED, episode, 1, "alice")
    assert (episode.reason, episode.message, episode.metadata) == ("VOLATILITY", "too hot", {"vix": 80})
    assert (episode.actor_kind, episode.activated_by, episode.user, episode.term_ms) == (
        "user",
        "alice",
        alice,
        2000,
    )
    assert episode.confirmed_at is not None
    assert episode.confirmed_at >= episode.activated_at
    assert episode.stopped_at is None
    assert [(proof.client, proof.state) for proof in Acknowledgement.objects.all()] == [
        (client, ProofState.PENDING)
    ]


def test_is_in_the_trail_with_before_and_after(alice: User) -> None:
    stop(alice)
    event = AuditEvent.objects.get(action="killswitch.activated")
    assert (event.actor_name, event.reason, event.object_type) == ("alice", "too hot", "killswitch.switch")
    assert event.before is not None
    assert event.after is not None
    assert (event.before["mode"], event.after["mode"]) == ("ACTIVE", "HALTED")


@pytest.mark.parametrize("mode", [Mode.HALTED, Mode.REDUCE_ONLY])
def test_a_second_stop_changes_nothing_and_says_so(alice: User, sam: User, mode: str) -> None:
    first = stop(alice)
    second = stop(sam, message="me too", mode=mode)
    assert (second.changed, second.activation) == (False, first.activation)
    assert Activation.objects.count() == 1
    assert Epoch.objects.get().value == 1
    assert AuditEvent.objects.filter(action="killswitch.activated").count() == 1


def test_reduce_only_closes_further_to_halted(alice: User) -> None:
    first = stop(alice, mode=Mode.REDUCE_ONLY).activation
    second = stop(alice, mode=Mode.HALTED)
    first.refresh_from_db()
    assert second.changed
    assert first.ended_at is not None
    assert first.ended_message == "Closed further, to HALTED"
    assert Switch.objects.get().activation == second.activation


def test_scopes_are_stopped_one_by_one(alice: User, connect: Connect) -> None:
    ibm, aapl, any_symbol = (
        connect("IBM", scopes=("symbol:IBM",)),
        connect("AAPL", scopes=("symbol:AAPL",)),
        connect("ALL"),
    )
    outcome = stop(alice, scope="symbol:IBM")
    assert set(outcome.activation.acknowledgements.values_list("client", flat=True)) == {
        ibm.pk,
        any_symbol.pk,
    }
    assert aapl.pk not in outcome.activation.acknowledgements.values_list("client", flat=True)
    assert selectors.status().trading_allowed
    assert stop(alice).changed


def test_takes_in_who_may_still_hold_a_lease(alice: User, connect: Connect) -> None:
    gone, over = connect("GONE"), connect("OVER")
    now = timezone.now()
    TradingClient.objects.filter(pk=gone.pk).update(hub="", lease_until=now + timedelta(seconds=60))
    TradingClient.objects.filter(pk=over.pk).update(hub="", lease_until=now - timedelta(seconds=1))
    outcome = stop(alice)
    assert list(outcome.activation.acknowledgements.values_list("client", flat=True)) == [gone.pk]


def test_with_nobody_there_it_is_stopped_at_once_and_warns(alice: User) -> None:
    outcome = stop(alice)
    assert outcome.activation.stopped_at is not None
    assert outcome.activation.time_to_stop_ms == 0
    assert "no trading process is connected" in outcome.warnings[0]


def test_warns_of_a_scope_that_nobody_names(alice: User, connect: Connect) -> None:
    connect("ALL")
    assert stop(alice, scope="symbol:ibm").warnings == [
        "no connected trading process names symbol:ibm; the spelling must be the same"
    ]


def test_unreadable_words_stop_everything(alice: User) -> None:
    outcome = stop(alice, reason="?", scope="no such", mode="??")
    assert (outcome.activation.scope, outcome.activation.mode, outcome.activation.reason) == (
        "global",
        "HALTED",
        "MANUAL",
    )
    assert outcome.activation.metadata == {"sent": {"reason": "?", "scope": "no such", "mode": "??"}}
    assert len(outcome.activation.warnings) == 4


@pytest.mark.django_db(transaction=True)
def test_tells_the_live_bus(alice: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
    outcome = stop(alice)
    assert connection.connection is not None
    told = [note.payload for note in connection.connection.notifies(timeout=5, stop_after=2)]
    assert f'{{"topic":"killswitch","ids":[{outcome.activation.pk}]}}' in told
