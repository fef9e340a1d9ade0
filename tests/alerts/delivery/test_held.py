"""While a channel's circuit breaker is open: ordinary deliveries wait and count nothing, urgent ones go to the fallback or try all the same."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from time import monotonic

import pytest
from opsclient.breaker.holds import Hold
from opsclient.circuit_breaker import CircuitState

from alerts import claims, delivering, fallback, guarding
from alerts.channels.base import SendFailed
from alerts.choices import DeliveryKind, DeliveryState, Priority
from alerts.models import Channel, Delivery, DeliveryAttempt
from alerts.story_deliveries import line_of
from monitoring.breakers.own import CONFIG, OwnBreakers
from tests.alerts.outbox import NOW, Clock, a_channel, an_alert, delivery_of, put
from tests.alerts.receiver import Answer, Receiver, receiver

pytestmark = pytest.mark.django_db

NAME = "webhook:desk"
FAILURES = CONFIG.failure_threshold or 0
OPEN, CLOSED = CircuitState.OPEN, CircuitState.CLOSED


class Steady:
    """The breakers' clock."""

    def __init__(self) -> None:
        self.now = monotonic()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def steady() -> Steady:
    return Steady()


@pytest.fixture
def own(steady: Steady) -> OwnBreakers:
    made = OwnBreakers(steady)
    guarding.register(made.guard)
    return made


@pytest.fixture
def second() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def drain(clock: Clock | None = None) -> int:
    return delivering.drain(critical=False, clock=clock or Clock())


def failed(desk: Receiver, *, answer: Answer = (500, {}), times: int = FAILURES) -> None:
    """So many deliveries have met this answer; nothing of them is left."""
    desk.answers(answer)
    for _ in range(times):
        put(an_alert())
        assert drain() == 1
        DeliveryAttempt.objects.all().delete()
        Delivery.objects.all().delete()
        Channel.objects.update(next_at=None)
    desk.calls.clear()
    desk.answers((200, {}))


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (SendFailed("no connection"), True),
        (SendFailed("no answer", maybe_delivered=True), True),
        (SendFailed("HTTP 500", status=500), True),
        (SendFailed("HTTP 503", status=503, retry_after=30), True),
        (SendFailed("HTTP 408", status=408), True),
        (SendFailed("Slack: internal_error", status=200), True),
        (SendFailed("HTTP 410", status=410, permanent=True), False),
        (SendFailed("no mailbox", status=550, permanent=True), False),
        (SendFailed("HTTP 409", status=409), False),
        (SendFailed("HTTP 429", status=429, retry_after=30), False),
        (SendFailed("a secret is missing", permanent=True), None),
        (ValueError("a fault of ours"), None),
    ],
)
def test_what_is_a_failure_of_the_other_side(error: Exception, counts: bool | None) -> None:
    assert CONFIG.counts(error) is counts


@pytest.mark.parametrize("answer", [(410, {}), (429, {"Retry-After": "1"})])
def test_refusals_open_nothing(desk: Receiver, own: OwnBreakers, answer: Answer) -> None:
    a_channel(desk)
    failed(desk, answer=answer, times=FAILURES + 1)
    assert own.get(NAME).state is CLOSED


def test_what_is_ordinary_waits_and_counts_nothing(desk: Receiver, own: OwnBreakers, steady: Steady) -> None:
    a_channel(desk)
    failed(desk)
    assert own.get(NAME).state is OPEN
    put(an_alert())
    clock = Clock()
    assert drain(clock) == 0
    row = delivery_of()
    assert (row.state, row.attempts, row.failures) == (DeliveryState.PENDING, 0, 0)
    assert not DeliveryAttempt.objects.exists()
    assert timedelta(seconds=13) < row.due_at - NOW < timedelta(seconds=17)
    assert row.held["breaker"] == NAME
    line = line_of(row).text
    assert line.startswith(f"not tried: circuit breaker {NAME} is open since ")
    assert Channel.objects.get().failures_in_a_row == FAILURES
    steady.now += 17
    clock.on(17)
    assert drain(clock) == 1
    row = delivery_of()
    assert (row.state, row.attempts, row.error) == (DeliveryState.SENT, 1, "")
    assert f"not tried at first: circuit breaker {NAME} was open since " in line_of(row).text
    assert own.get(NAME).state is CLOSED


def test_while_one_tries_the_others_wait(desk: Receiver, own: OwnBreakers, steady: Steady) -> None:
    a_channel(desk)
    failed(desk)
    steady.now += 17
    put(an_alert(), an_alert())
    first = claims.claim_next(critical=False, now=NOW)
    assert first is not None
    assert claims.claim_next(critical=False, now=NOW) is None
    (waits,) = Delivery.objects.filter(state=DeliveryState.PENDING)
    assert waits.due_at == NOW + timedelta(seconds=1)
    assert delivering.deliver(first, clock=Clock())
    assert drain(Clock(NOW + timedelta(seconds=1))) == 1


def test_what_is_high_goes_to_the_fallback_at_once(
    desk: Receiver, second: Receiver, own: OwnBreakers
) -> None:
    other = a_channel(second, "second", escalation=9)
    a_channel(desk, fallback=other)
    failed(desk)
    put(an_alert(title="Volatility", priority=Priority.HIGH))
    assert drain() == 1
    assert [call.body["title"] for call in second.calls] == ["Volatility"]
    assert desk.calls == []
    assert delivery_of(instead_of=None).state == DeliveryState.PENDING
    # And once.
    assert drain(Clock(NOW + timedelta(minutes=1))) == 0
    assert Delivery.objects.count() == 2


def test_what_is_critical_tries_all_the_same_and_closes_it(desk: Receiver, own: OwnBreakers) -> None:
    a_channel(desk)
    failed(desk)
    put(an_alert(priority=Priority.CRITICAL))
    assert drain() == 1
    assert delivery_of().state == DeliveryState.SENT
    assert own.get(NAME).state is CLOSED


def test_what_is_critical_and_fails_once_goes_to_the_fallback(
    desk: Receiver, second: Receiver, own: OwnBreakers
) -> None:
    other = a_channel(second, "second", escalation=9)
    a_channel(desk, fallback=other)
    failed(desk)
    desk.answers((500, {}))
    put(an_alert(priority=Priority.CRITICAL))
    drain()
    assert (len(desk.calls), len(second.calls)) == (1, 1)
    assert delivery_of(instead_of=None).failures == 1
    assert own.get(NAME).state is OPEN


def test_what_a_person_holds_open_is_not_tried_by_anybody(
    desk: Receiver, second: Receiver, own: OwnBreakers
) -> None:
    other = a_channel(second, "second", escalation=9)
    a_channel(desk, fallback=other)
    keeper = own.get(NAME).keeper
    keeper.steer(lambda machine, now: machine.set_hold(Hold(OPEN, by="sam"), now))
    put(an_alert(priority=Priority.CRITICAL))
    assert drain() == 1
    assert (len(desk.calls), len(second.calls)) == (0, 1)
    row = delivery_of(instead_of=None)
    assert line_of(row).text.startswith(f"not tried: circuit breaker {NAME} is held open since ")
    keeper.steer(lambda machine, now: machine.set_hold(None, now))
    assert drain(Clock(row.due_at)) == 1
    assert len(desk.calls) == 1


def test_is_given_up_after_a_day(desk: Receiver, own: OwnBreakers) -> None:
    a_channel(desk)
    failed(desk)
    put(an_alert())
    drain(Clock(NOW + fallback.LONGEST))
    row = delivery_of()
    assert (row.state, row.finished_at) == (DeliveryState.DEAD, NOW + fallback.LONGEST)
    assert row.error.startswith("not tried: circuit breaker")


def test_one_look_puts_off_only_so_many(
    desk: Receiver, own: OwnBreakers, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_channel(desk)
    failed(desk)
    monkeypatch.setattr(claims, "MOST_HELD", 2)
    put(an_alert(), an_alert(), an_alert())
    for held in (2, 3):
        drain()
        assert Delivery.objects.exclude(held={}).count() == held


def test_a_guard_that_fails_lets_through(desk: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    def broken(name: str, *, urgent: bool) -> guarding.Permit:
        raise RuntimeError

    guarding.register(broken)
    a_channel(desk)
    put(an_alert(), kind=DeliveryKind.FIRING)
    with caplog.at_level(logging.ERROR):
        assert drain() == 1
    assert f"The guard of {NAME} failed" in caplog.text
