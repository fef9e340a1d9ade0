"""What fails is tried again, later and later, until it is given up."""

from datetime import timedelta

import pytest

from alerts import delivering, fallback, pacing
from alerts.choices import AttemptOutcome, DeliveryState
from alerts.models import Channel, Delivery, DeliveryAttempt
from tests.alerts.outbox import NOW, Clock, a_channel, an_alert, delivery_of, put
from tests.alerts.receiver import Answer, Receiver

pytestmark = pytest.mark.django_db


def widest(low: float, high: float) -> float:
    del low
    return high


def test_the_wait_doubles_from_a_second_to_five_minutes() -> None:
    waits = [pacing.delay(n, spread=lambda _low, _high: 1.0).total_seconds() for n in range(1, 12)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert pacing.delay(1, spread=widest).total_seconds() == 1.25
    assert pacing.delay(10_000).total_seconds() <= 375


@pytest.mark.parametrize(
    ("answer", "outcome", "maybe"),
    [
        ((500, {}), AttemptOutcome.FAILED, False),
        ((502, {}), AttemptOutcome.UNKNOWN, True),
        (None, AttemptOutcome.UNKNOWN, True),
    ],
)
def test_a_failure_is_tried_again(desk: Receiver, answer: Answer, outcome: str, maybe: bool) -> None:
    a_channel(desk)
    put(an_alert())
    desk.answers(answer, (200, {}))
    clock = Clock()
    assert delivering.drain(critical=False, clock=clock) == 1
    row = delivery_of()
    assert (row.state, row.failures, row.maybe_duplicate) == (DeliveryState.PENDING, 1, maybe)
    assert timedelta(seconds=0.75) <= row.due_at - NOW <= timedelta(seconds=1.25)
    assert row.error
    assert DeliveryAttempt.objects.get().outcome == outcome
    channel = Channel.objects.get()
    assert (channel.failures_in_a_row, channel.last_failure_at, channel.last_error) == (1, NOW, row.error)
    assert delivering.drain(critical=False, clock=clock) == 0
    clock.on(2)
    assert delivering.drain(critical=False, clock=clock) == 1
    row = delivery_of()
    assert (row.state, row.error) == (DeliveryState.SENT, "")
    assert [call.body["maybe_duplicate"] for call in desk.calls] == [False, maybe]
    assert len(set(desk.keys())) == 1
    assert Channel.objects.get().failures_in_a_row == 0


def test_being_told_to_wait_is_obeyed_and_holds_up_the_others_too(desk: Receiver) -> None:
    a_channel(desk)
    put(an_alert(), an_alert())
    desk.answers((429, {"Retry-After": "90"}), (200, {}))
    clock = Clock()
    assert delivering.drain(critical=False, clock=clock) == 1
    channel = Channel.objects.get()
    assert channel.next_at == NOW + timedelta(seconds=90)
    assert (channel.failures_in_a_row, channel.last_error) == (0, "")
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.outcome, attempt.status, attempt.retry_after) == (AttemptOutcome.THROTTLED, 429, 90)
    assert Delivery.objects.get(pk=attempt.delivery_id).failures == 0
    clock.on(89)
    assert delivering.drain(critical=False, clock=clock) == 0
    clock.on(1)
    assert delivering.drain(critical=False, clock=clock) == 2


def test_what_is_refused_for_good_is_given_up_at_once(desk: Receiver) -> None:
    a_channel(desk)
    put(an_alert())
    desk.answers((410, {}))
    delivering.drain(critical=False, clock=Clock())
    row = delivery_of()
    assert (row.state, row.finished_at, row.attempts) == (DeliveryState.DEAD, NOW, 1)
    assert "HTTP 410" in row.error
    assert DeliveryAttempt.objects.get().outcome == AttemptOutcome.REFUSED


def test_is_given_up_after_many_failures(desk: Receiver) -> None:
    a_channel(desk)
    put(an_alert())
    Delivery.objects.update(failures=fallback.MOST_FAILURES - 1)
    desk.answers((500, {}))
    delivering.drain(critical=False, clock=Clock())
    assert delivery_of().state == DeliveryState.DEAD


@pytest.mark.parametrize(("hours", "state"), [(23.9, DeliveryState.PENDING), (24, DeliveryState.DEAD)])
def test_is_given_up_after_a_day(desk: Receiver, hours: float, state: str) -> None:
    a_channel(desk)
    put(an_alert())
    desk.answers((429, {"Retry-After": "1"}))
    delivering.drain(critical=False, clock=Clock(NOW + timedelta(hours=hours)))
    assert delivery_of().state == state


def test_a_channel_that_fails_again_and_again_is_left_alone_for_a_while(desk: Receiver) -> None:
    a_channel(desk, failures_in_a_row=pacing.PATIENCE + 1)
    put(an_alert(), an_alert())
    desk.answers((500, {}))
    clock = Clock()
    assert delivering.drain(critical=False, clock=clock) == 1
    assert Channel.objects.get().next_at == NOW + timedelta(seconds=4)
    assert [pacing.pause(n) for n in (0, pacing.PATIENCE - 1)] == [None, None]
    assert pacing.pause(1000) == timedelta(seconds=pacing.LONGEST_PAUSE)
