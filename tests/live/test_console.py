"""The live bus with the kill switch's own feed: the hub's reports reach the real tables."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from killswitch.models import Activation, TradingClient
from killswitch.services import activate
from opsconsole.accounts.roles import Role
from opsconsole.accounts.services import create_service_account, create_token
from opsconsole.audit.actor import Actor
from tests.console import ConsoleProcess
from tests.live.postgres import wait_for
from tests.live.web import StreamReader

ACTOR = Actor.system("test")
OpenTrading = Callable[[str], StreamReader]


@pytest.fixture
def stream(console: ConsoleProcess) -> Iterator[OpenTrading]:
    """`stream(instance)` opens the stream of the trading process AAPL."""
    user = create_service_account(actor=ACTOR, username="trader", role=Role.TRADING_SYSTEM)
    _, token = create_token(
        actor=ACTOR, user=user, name="trader", expires_at=timezone.now() + timedelta(days=1)
    )
    opened = []

    def open_stream(instance: str) -> StreamReader:
        path = f"/monitoring/stream?name=AAPL&instance={instance}"
        reader = StreamReader(console.port, path, {"Authorization": f"Bearer {token}"})
        opened.append(reader)
        return reader

    yield open_stream
    for reader in opened:
        reader.close()


def test_a_process_is_registered_stopped_and_let_go(stream: OpenTrading) -> None:
    reader = stream(uuid.uuid4().hex)
    hello = reader.until("hello").data
    lease = reader.until("lease").data
    client = TradingClient.objects.get(pk=hello["client_id"])
    assert client.connected
    outcome = activate(actor=ACTOR, reason="MANUAL", message="test")
    state = reader.until("state").data
    assert state["epoch"] == outcome.activation.epoch > lease["epoch"]
    assert [switch["scope"] for switch in state["switches"]] == ["global"]
    reader.close()
    wait_for(lambda: not TradingClient.objects.get(pk=client.pk).connected)
    client.refresh_from_db()
    assert client.lease_until is not None
    assert client.lease_until < timezone.now() + timedelta(seconds=10)


def test_a_stop_is_proven_by_time_where_nobody_acknowledges(stream: OpenTrading) -> None:
    reader = stream(uuid.uuid4().hex)
    reader.until("lease")
    activation = activate(actor=ACTOR, reason="MANUAL", message="test").activation
    wait_for(lambda: Activation.objects.exclude(stopped_at=None).filter(pk=activation.pk).exists())
    assert [proof.state for proof in activation.acknowledgements.all()] == ["LEASE_EXPIRED"]


def test_a_process_that_is_back_before_its_end_is_noted_stays_connected(stream: OpenTrading) -> None:
    instance = uuid.uuid4().hex
    older = stream(instance)
    older.until("lease")
    newer = stream(instance)
    assert older.until("bye").data["why"] == "replaced"
    newer.until("lease")
    other = stream(uuid.uuid4().hex)
    hello = other.until("hello").data
    other.close()
    # The older stream's end has been noted no later than this one's.
    wait_for(lambda: not TradingClient.objects.get(pk=hello["client_id"]).connected)
    assert TradingClient.objects.get(instance=instance).connected
