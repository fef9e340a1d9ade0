"""A drill: the same path, and trading goes on."""

import pytest

from killswitch import selectors, services
from killswitch.models import Activation, Switch
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.cast import acting
from tests.killswitch.conftest import Connect


def drill(user: User) -> services.ActivationOutcome:
    return services.activate(actor=acting(user), reason="MANUAL", message="monthly", drill=True)


def test_is_refused_where_trading_is_stopped(alice: User) -> None:
    services.activate(actor=acting(alice), reason="MANUAL", message="")
    with pytest.raises(services.DrillRefused, match="re-arm before a drill"):
        drill(alice)
    assert not Activation.objects.filter(drill=True).exists()


def test_measures_and_ends_by_itself_while_trading_goes_on(
    alice: User, trader: User, connect: Connect
) -> None:
    client = connect()
    episode = drill(alice).activation
    assert selectors.status().trading_allowed
    state = selectors.status().drill
    assert state is not None
    assert (state.state, state.proven, state.total) == ("stopping", 0, 1)
    assert not drill(alice).changed
    services.acknowledge(
        actor=acting(trader),
        name=client.name,
        instance=client.instance,
        epoch=episode.epoch,
        activations=[episode.pk],
    )
    episode.refresh_from_db()
    assert episode.ended_at is not None
    assert episode.time_to_stop_ms is not None
    assert Switch.objects.get(scope="global").mode == "ACTIVE"
    assert [event.action for event in AuditEvent.objects.filter(object_type="killswitch.activation").order_by("id")] == [
        "killswitch.drill_started", "killswitch.drill_proven",
    ]  # fmt: skip


def test_a_stop_during_a_drill_is_a_stop(alice: User, connect: Connect) -> None:
    connect()
    drill(alice)
    assert services.activate(actor=acting(alice), reason="MANUAL", message="real").changed
    assert not selectors.status().trading_allowed
