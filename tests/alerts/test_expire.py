"""What ends by itself, and what is decided again by itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts import tasks
from alerts.choices import AlertState, DeliveryKind
from alerts.models import Alert, Delivery, HourCount, KindTally, MinuteTally
from alerts.services.ending import decide_untold, end_expired
from tests.alerts.raising import NOON, a_channel, an_alert, minutes, raised, set_rule, the

pytestmark = pytest.mark.django_db
GONE = an_alert(resolved=True)


def test_ends_what_was_not_raised_again() -> None:
    a_channel()
    outcomes = raised(
        NOON, an_alert("a", ends_at=minutes(5)), an_alert("b", ends_at=minutes(9)), an_alert("c")
    )
    Delivery.objects.update(state="SENT")
    assert end_expired(now=minutes(4.9)) == 0
    assert end_expired(now=minutes(5)) == 1
    assert end_expired(now=minutes(5)) == 0
    ended = the(outcomes[0])
    assert (ended.state, ended.resolved_at, ended.resolved_by) == (AlertState.RESOLVED, minutes(5), "")
    assert list(Delivery.objects.filter(kind=DeliveryKind.RESOLVED).values_list("alert", flat=True)) == [
        ended.pk
    ]
    assert Alert.objects.filter(state=AlertState.FIRING).count() == 2
    # Nothing was raised, so nothing is counted.
    assert MinuteTally.objects.get().count == 3


def test_ends_more_than_one_turn_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.services.ending.TOGETHER", 3)
    raised(NOON, *[an_alert(f"a{n}", ends_at=minutes(5)) for n in range(10)])
    assert end_expired(now=minutes(6)) == 10


def flapping() -> Alert:
    """Told twice, the second time at minute 2; it came back at minute 4 and stays, untold."""
    for minute in (0, 2):
        raised(minutes(minute))
        raised(minutes(minute + 1), GONE)
    return the(raised(minutes(4))[0])


def test_what_flapped_and_stays_is_told_when_its_window_is_over() -> None:
    alert = flapping()
    a_channel()
    assert (alert.decision, alert.sent_count) == ("DEDUPED", 0)
    assert decide_untold(now=minutes(16.9)) == 0
    assert decide_untold(now=minutes(17)) == 1
    assert decide_untold(now=minutes(17)) == 0
    alert.refresh_from_db()
    assert (alert.decision, alert.sent_count, alert.last_sent_at) == ("SENT", 1, minutes(17))
    assert alert.trace[0] == {"gate": "force", "passed": True, "forced": False, "again": True}
    assert [(entry["decision"], entry["count"]) for entry in alert.history] == [("DEDUPED", 1)]
    assert Delivery.objects.get().kind == DeliveryKind.FIRING
    # It was raised three times, and sent three times.
    assert (alert.count, KindTally.objects.get().raised, KindTally.objects.get().sent) == (1, 3, 3)
    assert sum(HourCount.objects.values_list("sent", flat=True)) == 3
    assert sum(MinuteTally.objects.values_list("count", flat=True)) == 3


def test_asks_the_rule_of_that_time() -> None:
    alert = flapping()
    set_rule(dedupe_window_minutes=30)
    assert decide_untold(now=minutes(17)) == 1
    alert.refresh_from_db()
    assert (alert.decision, alert.repeats, alert.dedupe_until) == ("DEDUPED", 0, minutes(32))
    set_rule(max_per_hour=1)
    assert decide_untold(now=minutes(32)) == 1
    alert.refresh_from_db()
    assert alert.decision == "RATE_LIMITED"


def test_leaves_what_is_a_plain_duplicate() -> None:
    raised(NOON)
    raised(minutes(1))
    assert decide_untold(now=minutes(20)) == 0


def test_the_tick_does_all_of_it() -> None:
    hour_ago = timezone.now() - timedelta(hours=1)
    ended = the(raised(hour_ago, an_alert(ends_at=minutes(5, hour_ago)))[0])
    tasks.tick()
    ended.refresh_from_db()
    assert ended.state == AlertState.RESOLVED
