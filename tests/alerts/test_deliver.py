"""From the outbox to a receiver."""

from datetime import timedelta

import pytest
from django.db import transaction

from alerts import delivering
from alerts.choices import AttemptOutcome, DeliveryKind, DeliveryState, Priority
from alerts.models import Delivery, DeliveryAttempt
from alerts.services import outbox
from tests.alerts.outbox import NOW, Clock, a_channel, an_alert, resolve
from tests.alerts.receiver import Receiver, receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    with receiver() as made:
        yield made


def test_tells_the_channel(desk: Receiver) -> None:
    channel = a_channel(desk)
    alert = an_alert(title="Volatility")
    with transaction.atomic():
        (delivery,) = outbox.put(alerts=[alert], kind=DeliveryKind.FIRING, now=NOW)
    assert delivering.drain(critical=False, clock=Clock()) == 1
    (call,) = desk.calls
    assert call.body["title"] == "Volatility"
    assert call.key == str(delivery.key)
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SENT
    assert DeliveryAttempt.objects.get(delivery=delivery).outcome == AttemptOutcome.SENT
    channel.refresh_from_db()
    assert channel.last_success_at is not None
