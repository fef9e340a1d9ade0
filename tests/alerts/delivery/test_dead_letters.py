"""What was given up can be sent again by somebody, who is named."""

from datetime import timedelta

import pytest

from alerts import delivering
from alerts.choices import DeliveryState
from alerts.models import Delivery, DeliveryAttempt
from alerts.services import outbox
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.outbox import NOW, Clock, a_channel, an_alert, delivery_of, put, resolve
from tests.alerts.receiver import Receiver
from tests.cast import acting

pytestmark = pytest.mark.django_db

TOMORROW = NOW + timedelta(hours=30)


def dead(desk: Receiver) -> Delivery:
    a_channel(desk)
    put(an_alert())
    desk.answers((410, {}), (500, {}), (200, {}))
    delivering.drain(critical=False, clock=Clock())
    return delivery_of()


@pytest.mark.parametrize("state", [state for state in DeliveryState.values if state != DeliveryState.DEAD])
def test_only_dead_letters_can_be_sent_again(desk: Receiver, alice: User, state: str) -> None:
    row = dead(desk)
    Delivery.objects.update(state=state)
    with pytest.raises(outbox.NotDead, match=f"is {state}"):
        outbox.resend(actor=acting(alice), delivery_id=row.pk, reason="", now=TOMORROW)
    assert not AuditEvent.objects.filter(action="alerts.delivery_resent").exists()


def test_an_unknown_one_is_refused(alice: User) -> None:
    with pytest.raises(Delivery.DoesNotExist):
        outbox.resend(actor=acting(alice), delivery_id=1, reason="", now=NOW)


def test_is_sent_again_with_all_its_tries(desk: Receiver, alice: User) -> None:
    row = dead(desk)
    outbox.resend(actor=acting(alice), delivery_id=row.pk, reason="receiver repaired", now=TOMORROW)
    event = AuditEvent.objects.get(action="alerts.delivery_resent")
    assert (event.actor_name, event.reason) == ("alice", "receiver repaired")
    assert event.before is not None
    assert event.before["state"] == DeliveryState.DEAD
    clock = Clock(TOMORROW)
    delivering.drain(critical=False, clock=clock)
    # It failed once more, a day after it was written: it has a day from now on.
    assert delivery_of().state == DeliveryState.PENDING
    clock.on(5)
    delivering.drain(critical=False, clock=clock)
    assert delivery_of().state == DeliveryState.SENT
    assert list(DeliveryAttempt.objects.order_by("pk").values_list("number", flat=True)) == [1, 2, 3]
    assert len(set(desk.keys())) == 1


def test_is_sent_even_if_the_alert_has_ended_since(desk: Receiver, alice: User) -> None:
    row = dead(desk)
    assert row.alert is not None
    resolve(row.alert)
    outbox.resend(actor=acting(alice), delivery_id=row.pk, reason="", now=NOW)
    desk.answers((200, {}))
    assert delivering.drain(critical=False, clock=Clock()) == 1
    assert delivery_of().state == DeliveryState.SENT
