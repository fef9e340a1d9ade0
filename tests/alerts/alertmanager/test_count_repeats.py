"""Known alerts that are raised again: counted without a decision, and added to their incidents in a moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction
from django.utils import timezone

from alerts import tasks
from alerts.alertmanager import recording
from alerts.alertmanager.recording import decide_posted
from alerts.alertmanager.times import time_text
from alerts.choices import AlertState
from alerts.locking import lock_decisions, share_decisions
from alerts.models import Alert, MinuteTally, RepeatBatch
from alerts.services.ending import end_expired
from alerts.services.repeats import Repeat, add_repeats, count_all_repeats, count_repeats
from tests.alerts.alertmanager.caller import Caller
from tests.alerts.alertmanager.parcel import Web, over, storm, titles
from tests.alerts.raising import NOON, minutes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def known(web: Web) -> Web:
    web.post(*storm("A", "B"), at=NOON)
    return web


# Refusals


def test_counting_wants_its_transaction() -> None:
    one = [Repeat(1, 1, None)]
    with pytest.raises(RuntimeError, match="belongs in the transaction"):
        count_repeats(repeats=one, at=NOON)
    with pytest.raises(RuntimeError, match="belongs in the transaction"):
        share_decisions()
    with transaction.atomic(), pytest.raises(RuntimeError, match="a transaction of its own"):
        count_all_repeats(repeats=one, at=NOON)


# Counting


def test_counts_are_in_the_incidents_when_somebody_decides(known: Web) -> None:
    """The first one was sent; the next is decided, a duplicate; from then on it is known."""
    known.post(*storm("A", "B"), at=minutes(1))
    for minute in (2, 3):
        assert known.post(*storm("A", "A", "B"), at=minutes(minute)).counted
    assert (titles(), RepeatBatch.objects.count()) == ({"A": 2, "B": 2}, 2)
    with transaction.atomic():
        lock_decisions()
    assert (titles(), RepeatBatch.objects.count()) == ({"A": 6, "B": 4}, 0)
    alert = Alert.objects.get(title="A")
    assert (alert.decision, alert.repeats, alert.repeated_at) == ("DEDUPED", 4, minutes(3))
    assert alert.last_at == minutes(3)
    assert sum(MinuteTally.objects.values_list("count", flat=True)) == 10
    assert add_repeats() is False


def test_all_are_counted_or_none(known: Web) -> None:
    known.post(*storm("A", "B"), at=minutes(1))
    ids = list(Alert.objects.order_by("pk").values_list("pk", flat=True))
    assert not count_all_repeats(repeats=[Repeat(pk, 1, None) for pk in (*ids, 10**9)], at=minutes(2))
    assert not RepeatBatch.objects.exists()
    assert count_all_repeats(repeats=[Repeat(pk, 1, None) for pk in ids], at=minutes(2))
    assert RepeatBatch.objects.get().ids == ids


def test_what_is_known_to_stand_is_counted_without_a_look_until_somebody_decides(known: Web) -> None:
    """The incident is changed behind everybody's back, which only a look at it would find."""
    known.post(*storm("A", "B"), at=minutes(1))
    assert known.post(*storm("A", "B"), at=minutes(2)).counted
    Alert.objects.filter(title="A").update(settled_until=None)
    assert known.post(*storm("A", "B"), at=minutes(3)).counted
    assert RepeatBatch.objects.count() == 2
    with transaction.atomic():
        lock_decisions()
    assert not known.post(*storm("A"), at=minutes(4)).counted
    assert known.post(*storm("B"), at=minutes(4)).counted


def test_what_is_known_to_stand_is_looked_at_again_when_its_time_is_over(known: Web) -> None:
    known.post(*storm("A"), at=minutes(1))
    assert known.post(*storm("A"), at=minutes(2)).counted
    # The window of fifteen minutes is over, and so is the alert's own end.
    assert not known.post(*storm("A"), at=minutes(16)).counted
    assert Alert.objects.filter(title="A").count() == 2


def test_an_end_that_waits_stops_what_is_known_to_stand(known: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    known.post(*storm("A"), at=minutes(1))
    assert known.post(*storm("A"), at=minutes(2)).counted
    monkeypatch.setattr(recording, "DECIDED_AT_ONCE", 0)
    known.post(over("A", minutes(3)), at=minutes(3))
    assert not known.post(*storm("A"), at=minutes(3)).counted
    decide_posted(known.known)
    states = Alert.objects.filter(title="A").order_by("pk").values_list("state", flat=True)
    assert list(states) == [AlertState.RESOLVED, AlertState.FIRING]


def test_an_end_that_was_moved_is_not_swept_away(known: Web) -> None:
    for minute in (1, 2):
        until = {"endsAt": time_text(minutes(minute + 4))}
        known.post(*(alert | until for alert in storm("A", "B")), at=minutes(minute))
    assert RepeatBatch.objects.exists()
    assert set(Alert.objects.values_list("ends_at", flat=True)) == {minutes(5)}
    assert end_expired(now=minutes(5.5)) == 0
    assert end_expired(now=minutes(6)) == 2


def test_counts_move_on_in_listings(am: Caller, web: Web) -> None:
    now = timezone.now()
    for step in range(3):
        until = {"endsAt": time_text(now + timedelta(minutes=5 + step))}
        web.post(storm("A")[0] | until, at=now + timedelta(milliseconds=step))
    assert RepeatBatch.objects.exists()
    (alert,) = am.get("/alerts")
    assert alert["endsAt"] == time_text(now + timedelta(minutes=7))


def test_the_tick_adds_what_a_dead_process_has_counted(known: Web) -> None:
    known.post(*storm("A", "B"), at=minutes(1))
    known.post(*storm("A", "B"), at=minutes(2))
    tasks.tick()
    assert titles() == {"A": 3, "B": 3}


def test_counting_goes_on_while_counts_are_added(known: Web) -> None:
    """Somebody is in the middle of counting, and does not come to an end before the counts of others are in their incidents."""
    known.post(*storm("A", "B"), at=minutes(1))
    known.post(*storm("A", "B"), at=minutes(2))
    pk = Alert.objects.get(title="A").pk
    counted, added = Event(), Event()

    def count() -> None:
        try:
            with transaction.atomic():
                share_decisions()
                assert count_repeats(repeats=[Repeat(pk, 5, None)], at=minutes(3)) == {pk}
                counted.set()
                assert added.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        counting = pool.submit(count)
        assert counted.wait(30)
        assert add_repeats()
        assert titles() == {"A": 3, "B": 3}
        added.set()
        counting.result()
    assert add_repeats()
    assert titles() == {"A": 8, "B": 3}
