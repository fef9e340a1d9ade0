"""A channel is used only as often as it may be, by all workers together."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection

from alerts import delivering
from alerts.channels.base import Pace
from alerts.choices import Priority
from alerts.claims import claim_next
from alerts.models import Channel
from alerts.pacing import take
from tests.alerts.outbox import NOW, Clock, a_chat, an_alert, put
from tests.alerts.receiver import Receiver

pytestmark = pytest.mark.django_db

TELEGRAM = Pace(per_second=1, per_minute=20)


def test_in_no_minute_are_more_sent_than_allowed_and_none_is_wasted() -> None:
    """Whatever the timing: sends are asked for every tenth of a second for five minutes."""
    times: list[float] = []
    sent: list[float] = []
    ready = NOW
    for tenth in range(3000):
        now = NOW + timedelta(seconds=tenth / 10)
        if now < ready or (slot := take(times, TELEGRAM, now=now, urgent=True)) is None:
            continue
        assert slot.next_at is not None
        times, ready = slot.times, slot.next_at
        sent.append(now.timestamp())
    assert all(len([other for other in sent if start < other <= start + 60]) <= 20 for start in sent)
    assert min(later - earlier for earlier, later in pairwise(sent)) >= 1
    assert len(sent) == 100


def test_a_part_of_each_minute_is_kept_for_what_is_urgent() -> None:
    times = [NOW.timestamp() - n for n in range(16)]
    assert take(times, TELEGRAM, now=NOW, urgent=False) is None
    assert take(times, TELEGRAM, now=NOW, urgent=True) is not None
    assert take(times[1:], TELEGRAM, now=NOW, urgent=False) is not None
    assert take([NOW.timestamp()] * 20, TELEGRAM, now=NOW, urgent=True) is None


def test_a_clock_that_was_set_back_does_not_stop_a_channel() -> None:
    ahead = [NOW.timestamp() + 3600] * 20
    slot = take(ahead, TELEGRAM, now=NOW, urgent=False)
    assert slot is not None
    assert slot.times == [NOW.timestamp()]


def test_a_channel_without_a_pace_is_always_ready() -> None:
    slot = take([NOW.timestamp()] * 500, Pace(), now=NOW, urgent=False)
    assert slot is not None
    assert slot.next_at is None


def test_one_a_second(chats: Receiver) -> None:
    a_chat(chats, per_second=1)
    put(an_alert(), an_alert())
    clock = Clock()
    assert delivering.drain(critical=False, clock=clock, seconds=0.2) == 1
    clock.on(0.9)
    assert delivering.drain(critical=False, clock=clock, seconds=0.2) == 0
    clock.on(0.1)
    assert delivering.drain(critical=False, clock=clock, seconds=0.2) == 1


def test_what_is_urgent_overtakes(chats: Receiver) -> None:
    a_chat(chats, per_second=1)
    put(an_alert(title="first"), an_alert(title="second"))
    clock = Clock()
    delivering.drain(critical=False, clock=clock, seconds=0.2)
    put(an_alert(title="urgent", priority=Priority.CRITICAL))
    clock.on(1)
    delivering.drain(critical=False, clock=clock, seconds=0.2)
    assert [call.body["title"] for call in chats.calls] == ["first", "urgent"]


@pytest.mark.django_db(transaction=True)
def test_workers_together_keep_to_the_pace(chats: Receiver) -> None:
    a_chat(chats, per_minute=10)
    put(*(an_alert() for _ in range(30)))

    def work(_: int) -> int:
        try:
            return delivering.drain(critical=False, clock=Clock())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))
    delivering.drain(critical=False, clock=Clock())
    assert len(chats.calls) == 8
    assert len(Channel.objects.get().sent_times) == 8


def test_a_channel_that_waits_does_not_hold_up_another(chats: Receiver) -> None:
    waiting, other = a_chat(chats, "waiting", per_second=1), a_chat(chats, "other")
    Channel.objects.filter(pk=waiting.pk).update(next_at=NOW + timedelta(minutes=1))
    put(an_alert())
    claim = claim_next(critical=False, now=NOW)
    assert claim is not None
    assert claim.channel == other
    assert claim_next(critical=False, now=NOW) is None
