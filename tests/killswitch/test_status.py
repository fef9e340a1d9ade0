"""The state as pages and API show it."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from killswitch import selectors, services
from killswitch.models import TradingClient
from opsconsole.accounts.models import User
from tests.cast import acting
from tests.killswitch.conftest import Connect


def stop(user: User, scope: str = "global", *, drill: bool = False) -> services.ActivationOutcome:
    return services.activate(actor=acting(user), reason="MANUAL", message="x", scope=scope, drill=drill)


def test_armed(db: None) -> None:
    status = selectors.status()
    assert (status.is_active, status.trading_allowed, status.state, status.epoch) == (False, True, "armed", 0)
    assert (status.scopes, status.drill, status.clients, status.proof_of) == ([], None, [], None)


def test_a_scope_alone_does_not_stop_the_rest(alice: User, connect: Connect) -> None:
    connect("IBM", scopes=("symbol:IBM",))
    episode = stop(alice, "symbol:IBM").activation
    status = selectors.status()
    assert (status.is_active, status.trading_allowed, status.state) == (False, True, "armed")
    assert [(item.scope, item.state, item.proven, item.total) for item in status.scopes] == [
        ("symbol:IBM", "stopping", 0, 1)
    ]
    assert (status.proof_of, status.proven, status.total) == (episode.pk, 0, 1)


def test_the_global_stop_is_what_the_proofs_are_of(alice: User, connect: Connect) -> None:
    connect()
    stop(alice, "symbol:IBM")
    episode = stop(alice).activation
    status = selectors.status()
    assert (status.activation_id, status.proof_of, status.state) == (episode.pk, episode.pk, "stopping")
    assert [client.proof for client in status.clients] == ["PENDING"]
    assert status.deadline == episode.confirmed_at + timedelta(seconds=2) if episode.confirmed_at else False


def test_a_drill_is_shown_for_a_minute_after_its_end(alice: User) -> None:
    episode = stop(alice, drill=True).activation
    assert episode.ended_at is not None
    shown = selectors.status(now=episode.ended_at + timedelta(seconds=59)).drill
    assert shown is not None
    assert shown.state == "stopped"
    assert selectors.status(now=episode.ended_at + timedelta(seconds=61)).drill is None


def test_shows_who_is_gone_until_a_newer_one_has_the_name(connect: Connect) -> None:
    old = connect("AAPL")
    TradingClient.objects.update(hub="", open_orders=2)
    assert [client.client_id for client in selectors.status().clients] == [old.pk]
    new = connect("AAPL")
    assert [client.client_id for client in selectors.status().clients] == [new.pk]
    TradingClient.objects.update(hub="", last_seen=timezone.now() - timedelta(hours=25))
    assert selectors.status().clients == []


def test_the_lease_is_unknown_when_the_hub_is_not_heard_of(connect: Connect) -> None:
    client = connect()
    assert client.lease_until is not None
    for later, lease in ((-1, "held"), (1, "unknown")):
        assert selectors.status(now=client.lease_until + timedelta(seconds=later)).clients[0].lease == lease
    TradingClient.objects.update(hub="")
    for later, lease in ((-1, "held"), (1, "expired")):
        assert selectors.status(now=client.lease_until + timedelta(seconds=later)).clients[0].lease == lease


def test_takes_the_same_few_queries_for_any_number_of_processes(alice: User, connect: Connect) -> None:
    counts = []
    for number in range(3):
        connect(f"P{number}")
        stop(alice, f"symbol:S{number}")
        with CaptureQueriesContext(connection) as queries:
            selectors.status()
        counts.append(len(queries))
    assert counts == [counts[0]] * 3
    assert counts[0] <= 7
