"""Re-arming: the strict side."""

import pytest

from killswitch import selectors, services
from killswitch.models import Activation, Epoch, Switch
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.cast import acting
from tests.killswitch.conftest import Connect


def test_refuses_where_nothing_is_stopped(sam: User) -> None:
    with pytest.raises(services.NotActive, match="global"):
        services.deactivate(actor=acting(sam), message="x")
    services.activate(actor=acting(sam), reason="MANUAL", message="", scope="symbol:IBM")
    with pytest.raises(services.NotActive, match="global"):
        services.deactivate(actor=acting(sam), message="x")
    services.deactivate(actor=acting(sam), message="x", scope="symbol:IBM")
    with pytest.raises(services.NotActive, match="symbol:IBM"):
        services.deactivate(actor=acting(sam), message="again", scope="symbol:IBM")
    with pytest.raises(ValueError, match="scope"):
        services.deactivate(actor=acting(sam), message="x", scope="IBM")
    assert AuditEvent.objects.filter(action="killswitch.rearmed").count() == 1


def test_lifts_the_stop_of_its_scope_alone(sam: User, alice: User) -> None:
    for scope in ("global", "symbol:IBM"):
        services.activate(actor=acting(alice), reason="MANUAL", message="x", scope=scope)
    ended = services.deactivate(actor=acting(sam), message="the feed is back")
    assert (ended.ended_by, ended.ended_message) == ("sam", "the feed is back")
    assert ended.ended_at is not None
    assert Epoch.objects.get().value == 3
    status = selectors.status()
    assert status.trading_allowed
    assert [item.scope for item in status.scopes] == ["symbol:IBM"]
    event = AuditEvent.objects.get(action="killswitch.rearmed")
    assert (event.actor_name, event.reason) == ("sam", "the feed is back")


def test_leaves_proofs_that_were_missing_open(sam: User, connect: Connect) -> None:
    connect()
    services.activate(actor=acting(sam), reason="MANUAL", message="")
    ended = services.deactivate(actor=acting(sam), message="x")
    assert ended.stopped_at is None
    assert services.settle(epoch=99, waited=60) is False
    ended.refresh_from_db()
    assert ended.stopped_at is None


def test_stops_again_as_a_new_episode(sam: User) -> None:
    for _ in range(2):
        services.activate(actor=acting(sam), reason="MANUAL", message="")
        services.deactivate(actor=acting(sam), message="x")
    assert Activation.objects.count() == 2
    assert Switch.objects.get().mode == "ACTIVE"
