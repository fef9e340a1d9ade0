"""What a channel cannot tell one by one is told together, and nothing is lost."""

from datetime import timedelta

import pytest

from alerts import delivering, pressure
from alerts.choices import Category, DeliveryKind, DeliveryState, Priority
from alerts.models import AlertMessage, Delivery
from alerts.pressure import THRESHOLD, fold, refresh, tidy
from tests.alerts.outbox import NOW, Clock, a_channel, a_chat, an_alert, delivery_of, put, resolve
from tests.alerts.receiver import Receiver

pytestmark = pytest.mark.django_db

LATER = NOW + pressure.PATIENCE + timedelta(seconds=1)


def test_a_few_wait(chats: Receiver) -> None:
    a_chat(chats, per_second=1)
    put(*(an_alert() for _ in range(THRESHOLD)))
    tidy(now=LATER)
    assert not Delivery.objects.filter(kind=DeliveryKind.DIGEST).exists()


def test_what_came_just_now_waits(chats: Receiver) -> None:
    a_chat(chats, per_second=1)
    put(*(an_alert() for _ in range(50)))
    tidy(now=NOW)
    assert not Delivery.objects.filter(kind=DeliveryKind.DIGEST).exists()


def test_a_receiver_without_a_pace_is_told_each(desk: Receiver) -> None:
    a_channel(desk)
    put(*(an_alert() for _ in range(50)))
    tidy(now=LATER)
    assert not Delivery.objects.filter(kind=DeliveryKind.DIGEST).exists()


def test_the_rest_is_told_together_and_names_its_digest(chats: Receiver) -> None:
    a_chat(chats, per_second=1)
    put(*(an_alert(category=Category.COST_ALERT) for _ in range(20)))
    put(*(an_alert(title=f"risk {n}", priority=Priority.HIGH) for n in range(15)))
    put(an_alert(title="urgent", priority=Priority.CRITICAL))
    tidy(now=LATER)
    digest = delivery_of(kind=DeliveryKind.DIGEST)
    assert digest.content["total"] == 35
    assert digest.content["by_category"] == {"COST_ALERT": 20, "RISK_WARNING": 15}
    assert len(digest.content["lines"]) == pressure.LINES
    assert {line["priority"] for line in digest.content["lines"][:15]} == {"HIGH"}
    assert digest.priority == Priority.HIGH
    folded = Delivery.objects.filter(state=DeliveryState.FOLDED)
    assert folded.count() == 35
    assert {(row.content["digest"], row.error) for row in folded} == {
        (digest.pk, f"Told in digest #{digest.pk}.")
    }
    clock = Clock(LATER)
    for _ in range(3):
        delivering.drain(critical=False, clock=clock, seconds=0.2)
        clock.on(1)
    urgent, told = [call.body for call in chats.calls]
    assert urgent["title"] == "urgent"
    assert (told["kind"], told["count"]) == ("digest", 35)
    assert not Delivery.objects.filter(state=DeliveryState.PENDING).exists()


def test_more_is_added_to_the_digest_that_waits(chats: Receiver) -> None:
    channel = a_chat(chats, per_second=1)
    put(*(an_alert() for _ in range(20)))
    first = fold(channel.pk, now=LATER)
    put(*(an_alert(priority=Priority.HIGH) for _ in range(20)))
    assert fold(channel.pk, now=LATER) == first
    digest = delivery_of(kind=DeliveryKind.DIGEST)
    assert (digest.content["total"], digest.priority) == (40, Priority.HIGH)
    assert digest.content["by_category"] == {"RISK_WARNING": 40}


def test_an_alert_told_in_a_digest_is_told_to_have_ended(chats: Receiver) -> None:
    channel = a_chat(chats, per_second=1)
    alert = an_alert()
    put(alert, *(an_alert() for _ in range(20)))
    fold(channel.pk, now=LATER)
    resolve(alert)
    (row,) = put(alert, kind=DeliveryKind.RESOLVED)
    assert row.channel == channel


def test_messages_of_alerts_that_came_again_are_brought_up_to_date(chats: Receiver) -> None:
    a_chat(chats)
    again, quiet, gone = an_alert(), an_alert(), an_alert()
    put(again, quiet, gone)
    delivering.drain(critical=False, clock=Clock())
    for alert in (again, gone):
        alert.count, alert.last_at = 9, NOW + timedelta(seconds=20)
        alert.save()
    resolve(gone)
    assert refresh(now=NOW + timedelta(seconds=29)) == 0
    clock = Clock(NOW + timedelta(seconds=31))
    assert refresh(now=clock()) == 1
    assert refresh(now=clock()) == 0
    delivering.drain(critical=False, clock=clock)
    assert (chats.calls[-1].body["do"], chats.calls[-1].body["count"]) == ("edit", 9)
    assert AlertMessage.objects.get(alert=again).edited_at == clock()
    clock.on(60)
    assert refresh(now=clock()) == 0
