"""When a channel fails, what is urgent is told through its fallback."""

from collections.abc import Iterator

import pytest

from alerts import delivering
from alerts.choices import DeliveryKind, DeliveryState, Priority
from alerts.models import Channel, Delivery
from tests.alerts.outbox import Clock, a_channel, an_alert, put, resolve
from tests.alerts.receiver import Receiver, receiver

pytestmark = pytest.mark.django_db


def drain(clock: Clock) -> None:
    delivering.drain(critical=False, clock=clock)


def pair(desk: Receiver, other: Receiver, **fields: object) -> tuple[Channel, Channel]:
    """A channel of the first level, and its fallback, which is told nothing by itself."""
    second = a_channel(other, "second", escalation=9, **fields)
    return a_channel(desk, "first", fallback=second), second


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.mark.parametrize("priority", [Priority.LOW, Priority.MEDIUM])
def test_what_is_not_urgent_only_waits(desk: Receiver, other: Receiver, priority: Priority) -> None:
    pair(desk, other)
    put(an_alert(priority=priority))
    desk.answers((410, {}))
    drain(Clock())
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize("priority", [Priority.HIGH, Priority.CRITICAL])
def test_after_two_tries_the_fallback_is_told_too(
    desk: Receiver, other: Receiver, priority: Priority
) -> None:
    pair(desk, other)
    put(an_alert(title="Volatility", priority=priority))
    desk.answers((500, {}), (500, {}), (500, {}), (200, {}))
    clock = Clock()
    drain(clock)
    assert Delivery.objects.count() == 1
    for _ in range(4):
        clock.on(30)
        drain(clock)
    assert len(desk.calls) == 4
    assert [call.body["title"] for call in other.calls] == ["Volatility"]
    first, second = Delivery.objects.order_by("pk")
    assert second.instead_of == first
    assert {first.state, second.state} == {DeliveryState.SENT}


def test_a_refusal_goes_to_the_fallback_at_once(desk: Receiver, other: Receiver) -> None:
    pair(desk, other)
    put(an_alert(priority=Priority.HIGH))
    desk.answers((410, {}))
    drain(Clock())
    assert len(other.calls) == 1
    assert Delivery.objects.get(instead_of=None).state == DeliveryState.DEAD


def test_a_fallback_that_is_off_is_not_told(desk: Receiver, other: Receiver) -> None:
    pair(desk, other, enabled=False)
    put(an_alert(priority=Priority.HIGH))
    desk.answers((410, {}))
    drain(Clock())
    assert Delivery.objects.count() == 1


def test_fallbacks_in_a_ring_come_to_an_end(desk: Receiver, other: Receiver) -> None:
    first, second = pair(desk, other)
    third = a_channel(other, "third", escalation=9, fallback=first)
    Channel.objects.filter(pk=second.pk).update(fallback=third)
    put(an_alert(priority=Priority.CRITICAL))
    desk.answers((410, {}))
    other.answers((410, {}))
    drain(Clock())
    rows = Delivery.objects.order_by("pk")
    assert [(row.channel_name, row.state) for row in rows] == [
        ("first", DeliveryState.DEAD),
        ("second", DeliveryState.DEAD),
        ("third", DeliveryState.DEAD),
    ]


def test_a_fallback_that_is_told_anyway_is_told_once(desk: Receiver, other: Receiver) -> None:
    second = a_channel(other, "second")
    a_channel(desk, "first", fallback=second)
    put(an_alert(priority=Priority.HIGH))
    desk.answers((410, {}))
    drain(Clock())
    assert len(other.calls) == 1


def test_the_end_is_told_where_the_fallback_told_the_beginning(desk: Receiver, other: Receiver) -> None:
    pair(desk, other)
    alert = an_alert(priority=Priority.HIGH)
    put(alert)
    desk.answers((410, {}))
    drain(Clock())
    resolve(alert)
    (row,) = put(alert, kind=DeliveryKind.RESOLVED)
    assert row.channel_name == "second"
