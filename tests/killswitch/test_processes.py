"""Streams open, stay, end and are swept."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from killswitch import services
from killswitch.choices import CommandKind, CommandState
from killswitch.models import CommandResult, TradingClient
from opsconsole.accounts.models import User
from opsconsole.live.feeds import LEASE_COVER, StreamEnd
from tests.cast import acting
from tests.killswitch.conftest import HUB, Connect

TERM = timedelta(seconds=settings.LEASE_TERM)
COVER = timedelta(seconds=LEASE_COVER)


def end(client: TradingClient, until: datetime) -> StreamEnd:
    assert client.connected_at is not None
    return StreamEnd(client_id=client.pk, opened_at=client.connected_at, lease_until=until)


def test_registration_covers_every_lease_until_the_first_touch(connect: Connect) -> None:
    client = connect()
    assert client.connected_at is not None
    assert client.lease_until == client.connected_at + COVER + TERM


def test_touch_tells_which_streams_are_still_the_hubs(connect: Connect) -> None:
    mine, moved = connect("A"), connect("B", hub="hub-2")
    later = timezone.now() + timedelta(minutes=5)
    assert services.touch(client_ids=[mine.pk, moved.pk, 999], hub=HUB, lease_until=later) == {mine.pk}
    mine.refresh_from_db()
    moved.refresh_from_db()
    assert mine.lease_until == later
    assert moved.hub == "hub-2"
    assert moved.lease_until is not None
    assert moved.lease_until < later


def test_touch_moves_the_lease_forward_only(connect: Connect) -> None:
    client = connect()
    services.touch(client_ids=[client.pk], hub=HUB, lease_until=timezone.now() - TERM)
    before = client.lease_until
    client.refresh_from_db()
    assert client.lease_until == before


def test_an_end_keeps_the_last_lease(connect: Connect) -> None:
    client = connect()
    until = timezone.now() + timedelta(seconds=5)
    services.disconnect(ends=[end(client, until)], hub=HUB)
    client.refresh_from_db()
    assert (client.hub, client.lease_until) == ("", until)


def test_an_end_without_a_lease_keeps_what_the_stream_before_may_have_given(connect: Connect) -> None:
    client = connect()
    assert client.connected_at is not None
    services.disconnect(ends=[end(client, client.connected_at)], hub=HUB)
    client.refresh_from_db()
    assert client.lease_until == client.connected_at + TERM


def test_a_late_end_never_wipes_a_newer_stream(connect: Connect) -> None:
    client, moved = connect("A"), connect("B", hub="hub-2")
    old = replace(end(client, timezone.now()), opened_at=timezone.now() - TERM)
    services.disconnect(ends=[old, end(moved, timezone.now())], hub=HUB)
    client.refresh_from_db()
    moved.refresh_from_db()
    assert (client.hub, moved.hub) == (HUB, "hub-2")


def test_sweep_lets_go_of_a_silent_hub_once_no_lease_of_it_can_count(connect: Connect) -> None:
    client = connect()
    assert client.lease_until is not None
    services.sweep(now=client.lease_until)
    client.refresh_from_db()
    assert client.connected
    services.sweep(now=client.lease_until + timedelta(milliseconds=1))
    client.refresh_from_db()
    assert not client.connected


def test_sweep_ends_commands_that_nobody_answered(alice: User, connect: Connect) -> None:
    connect()
    services.issue_command(actor=acting(alice), kind=CommandKind.CANCEL_ORDERS, client_ids=None)
    services.sweep(now=timezone.now() + timedelta(seconds=59))
    assert CommandResult.objects.get().state == CommandState.PENDING
    services.sweep(now=timezone.now() + timedelta(seconds=61))
    assert CommandResult.objects.get().state == CommandState.EXPIRED
