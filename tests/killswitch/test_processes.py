"""Streams open, stay, end and are swept."""

from datetime import timedelta

from django.utils import timezone

from killswitch import services
from killswitch.choices import CommandKind, CommandState
from killswitch.models import CommandResult
from opsconsole.accounts.models import User
from tests.cast import acting
from tests.killswitch.conftest import HUB, Connect

NOW = timezone.now()


def test_touch_leaves_streams_that_moved_to_another_hub(connect: Connect) -> None:
    client = connect(hub="hub-2")
    services.touch(client_ids=[client.pk], hub=HUB, lease_until=NOW + timedelta(minutes=5))
    client.refresh_from_db()
    assert client.hub == "hub-2"
    assert client.lease_until is not None
    assert client.lease_until < NOW + timedelta(minutes=1)


def test_touch_moves_the_lease_forward_only_and_revives_a_swept_stream(connect: Connect) -> None:
    client = connect()
    later = timezone.now() + timedelta(minutes=1)
    services.touch(client_ids=[client.pk], hub=HUB, lease_until=later)
    services.touch(client_ids=[client.pk], hub=HUB, lease_until=NOW)
    services.sweep(now=later + timedelta(seconds=16))
    client.refresh_from_db()
    assert not client.connected
    services.touch(client_ids=[client.pk], hub=HUB, lease_until=NOW)
    client.refresh_from_db()
    assert client.connected
    assert client.lease_until is not None
    assert client.lease_until >= later


def test_an_end_keeps_the_last_lease_and_never_ends_a_newer_stream(connect: Connect) -> None:
    client, moved = connect("A"), connect("B", hub="hub-2")
    until = timezone.now() + timedelta(seconds=30)
    services.disconnect(ends=[(client.pk, until), (moved.pk, until)], hub=HUB)
    client.refresh_from_db()
    moved.refresh_from_db()
    assert (client.hub, client.lease_until) == ("", until)
    assert (moved.hub, moved.lease_until) == ("hub-2", until)


def test_sweep_lets_go_of_a_silent_hub_only_after_a_while(connect: Connect) -> None:
    client = connect()
    assert client.lease_until is not None
    services.sweep(now=client.lease_until + timedelta(seconds=14))
    client.refresh_from_db()
    assert client.connected
    gone = client.lease_until + timedelta(seconds=16)
    services.sweep(now=gone)
    client.refresh_from_db()
    # When the hub died is not known, so its leases count for a term from now.
    assert (client.hub, client.lease_until) == ("", gone + timedelta(seconds=2))


def test_sweep_ends_commands_that_nobody_answered(alice: User, connect: Connect) -> None:
    connect()
    services.issue_command(actor=acting(alice), kind=CommandKind.CANCEL_ORDERS, client_ids=None)
    services.sweep(now=timezone.now() + timedelta(seconds=59))
    assert CommandResult.objects.get().state == CommandState.PENDING
    services.sweep(now=timezone.now() + timedelta(seconds=61))
    assert CommandResult.objects.get().state == CommandState.EXPIRED
