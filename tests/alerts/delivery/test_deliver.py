"""From the outbox to a receiver: claim, call, outcome."""

import logging

import pytest

from alerts import claims, delivering
from alerts.channels.compose import message_of
from alerts.choices import AttemptOutcome, DeliveryKind, DeliveryState, Priority
from alerts.models import AlertMessage, Channel, Delivery, DeliveryAttempt
from alerts.services import outbox
from tests.alerts.outbox import NOW, Clock, a_channel, a_chat, an_alert, delivery_of, put, resolve
from tests.alerts.receiver import Call, Receiver

pytestmark = pytest.mark.django_db


def drain(clock: Clock | None = None, *, critical: bool = False) -> int:
    return delivering.drain(critical=critical, clock=clock or Clock())


def test_tells_the_channel_and_writes_down_that_it_did(desk: Receiver) -> None:
    channel = a_channel(desk)
    (delivery,) = put(an_alert(title="Volatility"))
    assert drain() == 1
    (call,) = desk.calls
    assert (call.body["title"], call.key) == ("Volatility", str(delivery.key))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.finished_at, delivery.claim) == (DeliveryState.SENT, NOW, None)
    attempt = DeliveryAttempt.objects.get(delivery=delivery)
    assert (attempt.outcome, attempt.number, attempt.finished_at) == (AttemptOutcome.SENT, 1, NOW)
    channel.refresh_from_db()
    assert (channel.last_success_at, channel.failures_in_a_row) == (NOW, 0)


@pytest.mark.django_db(transaction=True)
def test_the_intent_is_committed_before_the_call(desk: Receiver) -> None:
    a_channel(desk)
    put(an_alert())
    seen: list[tuple[str, str]] = []

    def look(_call: Call) -> tuple[int, dict[str, str]]:
        # From another thread, over another connection: what is not committed is not there.
        attempt = DeliveryAttempt.objects.select_related("delivery").get()
        seen.append((attempt.outcome, attempt.delivery.state))
        return 200, {}

    desk.answer = look
    drain()
    assert seen == [(AttemptOutcome.OPEN, DeliveryState.SENDING)]


def test_what_is_urgent_goes_first_and_alone_where_only_that_is_asked(desk: Receiver) -> None:
    a_channel(desk)
    put(an_alert(title="first"))
    put(an_alert(title="urgent", priority=Priority.CRITICAL))
    assert drain(critical=True) == 1
    put(an_alert(title="urgent again", priority=Priority.CRITICAL))
    drain()
    assert [call.body["title"] for call in desk.calls] == ["urgent", "urgent again", "first"]


def test_what_is_not_due_waits(desk: Receiver) -> None:
    a_channel(desk)
    put(an_alert())
    assert drain(Clock(NOW.replace(hour=9, minute=29))) == 0
    assert drain() == 1


def test_what_was_switched_off_meanwhile_is_not_told(desk: Receiver) -> None:
    channel = a_channel(desk)
    put(an_alert())
    Channel.objects.filter(pk=channel.pk).update(enabled=False)
    assert drain() == 0
    assert delivery_of().error == "The channel was switched off."


def test_what_waits_for_a_deleted_channel_is_cancelled(desk: Receiver) -> None:
    channel = a_channel(desk)
    put(an_alert())
    channel.delete()
    assert claims.cancel_without_channel(now=NOW) == 1
    row = Delivery.objects.get()
    assert (row.state, row.error) == (DeliveryState.CANCELLED, "The channel was deleted.")


def test_resolved_waits_for_what_came_before_it(desk: Receiver) -> None:
    a_channel(desk)
    alert = an_alert()
    put(alert)
    clock = Clock()
    claim = claims.claim_next(critical=False, now=clock())
    assert claim is not None
    resolve(alert)
    put(alert, kind=DeliveryKind.RESOLVED)
    assert drain(clock) == 0
    assert delivering.deliver(claim, clock=clock)
    assert drain(clock) == 1
    assert [call.body["kind"] for call in desk.calls] == ["firing", "resolved"]


def test_resolved_is_not_told_where_the_send_failed(desk: Receiver) -> None:
    a_channel(desk)
    alert = an_alert()
    put(alert)
    clock = Clock()
    claim = claims.claim_next(critical=False, now=clock())
    assert claim is not None
    resolve(alert)
    put(alert, kind=DeliveryKind.RESOLVED)
    desk.answers((500, {}), (200, {}))
    delivering.deliver(claim, clock=clock)
    clock.on(60)
    assert drain(clock) == 0
    assert [call.body["kind"] for call in desk.calls] == ["firing"]
    assert delivery_of(kind=DeliveryKind.FIRING).error == "Resolved before it was sent."
    assert delivery_of(kind=DeliveryKind.RESOLVED).error == "Nobody was told here that it fired."


def test_a_channel_whose_secrets_cannot_be_read_is_given_up_with_the_reason(desk: Receiver) -> None:
    channel = a_channel(desk)
    put(an_alert())
    Channel.objects.filter(pk=channel.pk).update(secrets="sealed with another key")
    drain()
    row = delivery_of()
    assert row.state == DeliveryState.DEAD
    assert "OPSCONSOLE_SECRET_KEY is not the one" in row.error


def test_a_fault_of_ours_shows_its_kind_alone(
    desk: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    a_channel(desk)
    put(an_alert())

    def broken(*_: object, **__: object) -> None:
        raise ValueError("token-1234")

    monkeypatch.setattr(delivering, message_of.__name__, broken)
    with caplog.at_level(logging.ERROR):
        drain()
    row = delivery_of()
    assert (row.state, row.failures, row.maybe_duplicate) == (DeliveryState.PENDING, 1, True)
    assert "ValueError" in row.error
    assert "token-1234" not in row.error
    assert "could not be sent" in caplog.text


def test_a_test_goes_through_a_channel_that_is_off(desk: Receiver) -> None:
    channel = a_channel(desk, enabled=False)
    outbox.put_test(channel=channel, content={"by": "sam"}, now=NOW)
    assert drain(critical=True) == 1
    assert desk.calls[0].body["kind"] == "test"


def test_a_digest_is_told(desk: Receiver) -> None:
    channel = a_channel(desk)
    content = {"reason": "quiet_hours", "total": 1, "by_category": {"COST_ALERT": 1}, "lines": []}
    outbox.put_digest(channel=channel, content=content, now=NOW)
    assert drain() == 1
    assert desk.calls[0].body["digest"]["total"] == 1


# One message for each incident


def test_the_first_message_is_kept_answered_and_edited(chats: Receiver) -> None:
    channel = a_chat(chats)
    alert, clock = an_alert(), Clock()
    put(alert)
    drain(clock)
    message = AlertMessage.objects.get(alert=alert, channel=channel)
    assert message.external == {"message": 1}
    clock.on(600)
    alert.count = 3
    alert.save(update_fields=["count"])
    put(alert, kind=DeliveryKind.REPEAT, now=clock())
    drain(clock)
    first, repeat, edit = [call.body for call in chats.calls]
    assert (first["do"], first["reply_to"]) == ("send", None)
    assert (repeat["do"], repeat["kind"], repeat["reply_to"]) == ("send", "repeat", {"message": 1})
    assert (edit["do"], edit["message"], edit["count"]) == ("edit", 1, 3)
    message.refresh_from_db()
    assert (message.external, message.edited_at) == ({"message": 1}, clock())


def test_the_end_is_told_as_an_answer_and_shown_in_the_first_message(chats: Receiver) -> None:
    a_chat(chats)
    alert, clock = an_alert(), Clock()
    put(alert)
    drain(clock)
    resolve(alert)
    put(alert, kind=DeliveryKind.RESOLVED)
    drain(clock)
    assert [(call.body["do"], call.body["kind"], call.body["state"]) for call in chats.calls] == [
        ("send", "firing", "FIRING"),
        ("send", "resolved", "RESOLVED"),
        ("edit", "edit", "RESOLVED"),
    ]


def test_an_edit_whose_message_is_gone_is_cancelled(chats: Receiver) -> None:
    a_chat(chats)
    alert = an_alert()
    put(alert)
    drain()
    put(alert, kind=DeliveryKind.EDIT)
    AlertMessage.objects.all().delete()
    assert drain() == 0
    assert delivery_of(kind=DeliveryKind.EDIT).error == "There is no message to edit."
