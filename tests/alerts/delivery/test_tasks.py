"""What the workers and beat run."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from alerts import kicking, tasks
from alerts.choices import DeliveryKind, DeliveryState, Priority
from alerts.models import Delivery
from opsconsole import background
from tests.alerts.outbox import a_channel, a_chat, an_alert, put
from tests.alerts.receiver import Receiver

pytestmark = pytest.mark.django_db


def test_sends_what_is_due(desk: Receiver) -> None:
    a_channel(desk)
    put(an_alert(), an_alert(priority=Priority.CRITICAL), now=timezone.now())
    tasks.deliver(critical=True)
    assert len(desk.calls) == 1
    tasks.deliver()
    assert len(desk.calls) == 2


def test_only_some_threads_of_a_worker_send(desk: Receiver) -> None:
    a_channel(desk)
    put(an_alert(), now=timezone.now())
    held = tasks.SENDERS
    for _ in range(held):
        assert tasks._senders[False].acquire(blocking=False)
    tasks.deliver()
    assert not desk.calls
    for _ in range(held):
        tasks._senders[False].release()
    tasks.deliver()
    assert len(desk.calls) == 1


def test_cancels_and_folds_first(chats: Receiver) -> None:
    a_chat(chats, per_second=1)
    deleted = a_channel(chats, "deleted")
    put(*(an_alert() for _ in range(20)), now=timezone.now() - timedelta(minutes=1))
    deleted.delete()
    tasks.deliver()
    assert Delivery.objects.filter(state=DeliveryState.FOLDED).count() == 20
    assert Delivery.objects.filter(state=DeliveryState.CANCELLED).count() == 20
    assert Delivery.objects.get(kind=DeliveryKind.DIGEST).state == DeliveryState.SENT


def test_brings_messages_up_to_date(chats: Receiver) -> None:
    a_chat(chats)
    alert = an_alert()
    now = timezone.now()
    put(alert, now=now - timedelta(minutes=5))
    tasks.deliver()
    tasks.refresh_messages()
    assert not Delivery.objects.filter(kind=DeliveryKind.EDIT).exists()


def test_both_queues_are_looked_at_every_second_by_workers_that_take_them() -> None:
    schedule: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
    entries = [entry for entry in schedule.values() if entry["task"] == kicking.TASK]
    assert {entry["options"]["queue"] for entry in entries} == {"alerts", "critical"}
    assert {entry["schedule"] for entry in entries} == {1.0}
    assert background.QUEUES == {"worker": ("default", "alerts"), "urgent": ("critical",)}


def test_only_the_urgent_worker_keeps_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bool] = []
    monkeypatch.setattr(kicking.Watch, "look", lambda watch: looked.append(watch._forever))
    for queues in (("default", "alerts"), ("critical",)):
        worker = SimpleNamespace(
            app=SimpleNamespace(amqp=SimpleNamespace(queues=SimpleNamespace(consume_from=queues)))
        )
        tasks.keep_watch(sender="worker", instance=worker)
    assert looked == [True]
