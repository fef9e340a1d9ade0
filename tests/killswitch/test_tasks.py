"""What the worker does by itself, when no hub is there."""

from datetime import timedelta
from time import monotonic

import pytest
from django.utils import timezone

from killswitch import services, tasks
from killswitch.models import Activation, TradingClient
from opsconsole.accounts.models import User
from opsconsole.api.models import IdempotentCall
from opsconsole.api.tasks import forget_idempotent_calls
from tests.cast import acting
from tests.killswitch.conftest import Connect


def test_settles_by_its_own_clock(alice: User, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    connect()
    services.activate(actor=acting(alice), reason="MANUAL", message="")
    start = monotonic()
    for later, stopped in ((0.0, False), (2.0, False), (2.04, True)):
        monkeypatch.setattr(tasks, "monotonic", lambda later=later: start + later)
        tasks.settle()
        assert (Activation.objects.get().stopped_at is not None) is stopped


def test_sweeps(connect: Connect) -> None:
    connect()
    TradingClient.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.sweep()
    assert not TradingClient.objects.get().connected


def test_forgets_old_keys(alice: User) -> None:
    IdempotentCall.objects.create(
        user=alice, operation="x", key="k", fingerprint="f", started_at=timezone.now() - timedelta(hours=25)
    )
    forget_idempotent_calls()
    assert not IdempotentCall.objects.exists()
