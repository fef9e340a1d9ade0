"""What is written into the outbox, and for which channel."""

from datetime import timedelta

import pytest
from django.db import transaction

from alerts.choices import Category, DeliveryKind, DeliveryState, Priority
from alerts.models import Alert, AlertMessage, Channel, Delivery
from alerts.services import outbox
from tests.alerts.outbox import NOW, a_channel, a_chat, an_alert, delivery_of, put, resolve
from tests.alerts.receiver import Receiver

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_is_refused_outside_a_transaction(desk: Receiver) -> None:
    channel = a_channel(desk)
    with pytest.raises(RuntimeError, match="put\\(\\) belongs in the transaction"):
        outbox.put(alerts=[an_alert()], kind=DeliveryKind.FIRING, now=NOW)
    with pytest.raises(RuntimeError, match="put_digest\\(\\) belongs"):
        outbox.put_digest(channel=channel, content={}, now=NOW)
    assert not Delivery.objects.exists()


def test_digests_and_tests_are_not_about_single_alerts(desk: Receiver) -> None:
    a_channel(desk)
    with pytest.raises(ValueError, match="kind: digest is not about single alerts"):
        put(an_alert(), kind=DeliveryKind.DIGEST)


def test_a_change_that_is_rolled_back_tells_nobody(desk: Receiver) -> None:
    a_channel(desk)
    alert = an_alert()
    with transaction.atomic():
        assert outbox.put(alerts=[alert], kind=DeliveryKind.FIRING, now=NOW)
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()


def test_goes_to_enabled_channels_of_the_first_level_that_take_category_and_priority(desk: Receiver) -> None:
    a_channel(desk, "all")
    a_channel(desk, "risk", categories=[Category.RISK_WARNING])
    a_channel(desk, "high", min_priority=Priority.HIGH)
    a_channel(desk, "costs", categories=[Category.COST_ALERT])
    a_channel(desk, "critical", min_priority=Priority.CRITICAL)
    a_channel(desk, "off", enabled=False)
    a_channel(desk, "second", escalation=1)
    put(an_alert(priority=Priority.HIGH, category=Category.RISK_WARNING))
    rows = Delivery.objects.order_by("channel_name")
    assert [row.channel_name for row in rows] == ["all", "high", "risk"]
    assert {(row.state, row.priority, row.due_at) for row in rows} == {
        (DeliveryState.PENDING, Priority.HIGH, NOW)
    }


def test_given_channels_are_taken_whatever_their_level(desk: Receiver) -> None:
    a_channel(desk, "first")
    second = a_channel(desk, "second", escalation=1)
    put(an_alert(), kind=DeliveryKind.ESCALATION, channels=[second])
    assert delivery_of(kind=DeliveryKind.ESCALATION).channel == second


def test_resolved_goes_exactly_where_the_alert_was_told(desk: Receiver) -> None:
    alert = an_alert()
    told, dead, unsure, folded, busy = (
        a_channel(desk, name) for name in ("told", "dead", "unsure", "folded", "busy")
    )
    put(alert)
    for channel, fields in (
        (told, {"state": DeliveryState.SENT}),
        (dead, {"state": DeliveryState.DEAD}),
        (unsure, {"state": DeliveryState.DEAD, "maybe_duplicate": True}),
        (folded, {"state": DeliveryState.FOLDED}),
        (busy, {"state": DeliveryState.SENDING}),
    ):
        Delivery.objects.filter(channel=channel).update(**fields)
    resolve(alert)
    written = put(alert, kind=DeliveryKind.RESOLVED)
    assert {row.channel_name for row in written} == {"told", "unsure", "folded", "busy"}


def test_an_alert_that_ends_before_it_is_told_is_never_told(desk: Receiver) -> None:
    a_channel(desk)
    alert = an_alert()
    put(alert)
    resolve(alert)
    assert put(alert, kind=DeliveryKind.RESOLVED) == []
    row = delivery_of(kind=DeliveryKind.FIRING)
    assert (row.state, row.error) == (DeliveryState.CANCELLED, "Resolved before it was sent.")


def test_a_repeat_is_not_written_while_the_alert_still_waits(desk: Receiver) -> None:
    a_channel(desk)
    alert = an_alert()
    put(alert)
    assert put(alert, kind=DeliveryKind.REPEAT) == []
    Delivery.objects.update(state=DeliveryState.SENT)
    assert len(put(alert, kind=DeliveryKind.REPEAT)) == 1


def test_what_waits_for_an_alert_that_became_urgent_is_urgent_too(desk: Receiver) -> None:
    a_channel(desk)
    alert = an_alert(priority=Priority.MEDIUM)
    put(alert)
    alert.priority = Priority.CRITICAL
    put(alert, kind=DeliveryKind.ESCALATION)
    assert set(Delivery.objects.values_list("priority", flat=True)) == {Priority.CRITICAL}


def test_an_edit_is_written_once_where_a_message_can_be_changed(desk: Receiver, chats: Receiver) -> None:
    alert = an_alert()
    webhook, chat, silent = a_channel(desk), a_chat(chats), a_chat(chats, "not told")
    del silent
    for channel in (webhook, chat):
        shown(alert, channel)
    (edit,) = put(alert, kind=DeliveryKind.EDIT)
    assert edit.channel == chat
    assert put(alert, kind=DeliveryKind.EDIT) == []


def test_edits_of_one_message_are_half_a_minute_apart(chats: Receiver) -> None:
    alert = an_alert()
    shown(alert, a_chat(chats), edited_at=NOW - timedelta(seconds=10))
    (edit,) = put(alert, kind=DeliveryKind.EDIT)
    assert edit.due_at == NOW + timedelta(seconds=20)


def shown(alert: Alert, channel: Channel, **fields: object) -> None:
    AlertMessage.objects.create(alert=alert, channel=channel, external={"message": 1}, sent_at=NOW, **fields)
