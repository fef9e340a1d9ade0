"""An alert ends and comes back: what is told of it, and what flaps."""

import pytest

from alerts.choices import AlertState, Decision, DeliveryKind
from alerts.models import Alert, Delivery
from alerts.services.raised import NOTHING
from tests.alerts.raising import NOON, a_channel, an_alert, decisions, minutes, raised, set_rule, the

pytestmark = pytest.mark.django_db


def test_resolve_is_told_if_firing_was() -> None:
    a_channel()
    gone = an_alert(resolved=True)
    assert raised(NOON, gone)[0] == NOTHING
    raised(minutes(1))
    Delivery.objects.update(state="SENT")
    outcome = raised(minutes(2), gone)[0]
    alert = the(outcome)
    assert (outcome.state, outcome.decision, outcome.new) == (AlertState.RESOLVED, Decision.SENT, False)
    assert (alert.resolved_at, alert.resolved_by, alert.escalate_at) == (minutes(2), "tests", None)
    assert alert.count == 1
    assert Delivery.objects.filter(kind=DeliveryKind.RESOLVED, alert=alert).count() == 1
    assert raised(minutes(3), gone)[0].alert_id is None


def test_resolve_of_what_nobody_was_told_is_not_told() -> None:
    a_channel()
    set_rule(enabled=False)
    raised(NOON)
    raised(minutes(1), an_alert(resolved=True))
    assert not Delivery.objects.exists()


def test_an_end_that_has_passed_resolves() -> None:
    raised(NOON)
    outcome = raised(minutes(2), an_alert(ends_at=minutes(1)))[0]
    alert = the(outcome)
    assert (alert.state, alert.ends_at, alert.resolved_at) == ("RESOLVED", minutes(1), minutes(2))


def test_raising_again_extends_and_keeps_the_earliest_start() -> None:
    raised(NOON, an_alert(starts_at=minutes(-5), ends_at=minutes(4)))
    raised(minutes(1), an_alert(starts_at=minutes(-3), ends_at=minutes(6)))
    raised(minutes(2), an_alert(starts_at=minutes(-9), ends_at=minutes(5)))
    alert = Alert.objects.get()
    assert (alert.starts_at, alert.ends_at, alert.count) == (minutes(-9), minutes(6), 3)
    # After its end it is another incident, whether the sweep has come by or not.
    outcome = raised(minutes(6), an_alert(ends_at=minutes(10)))[0]
    alert.refresh_from_db()
    assert outcome.new
    assert (alert.state, alert.resolved_at, alert.resolved_by) == ("RESOLVED", minutes(6), "")
    assert the(outcome).flaps == 1


def test_the_first_return_is_told_and_flapping_is_not() -> None:
    gone = an_alert(resolved=True)
    assert decisions(NOON) == ["SENT"]
    raised(minutes(1), gone)
    assert decisions(minutes(2)) == ["SENT"]
    raised(minutes(3), gone)
    flapping = raised(minutes(4))[0]
    assert flapping.decision == Decision.DEDUPED
    assert flapping.trace[-1]["flaps"] == 2
    raised(minutes(5), gone)
    assert the(flapping).sent_count == 0
    assert decisions(minutes(6)) == ["DEDUPED"]
    raised(minutes(7), gone)
    # The window runs from what was told.
    assert decisions(minutes(17)) == ["SENT"]
    assert list(Alert.objects.order_by("pk").values_list("flaps", flat=True)) == [0, 1, 2, 3, 4]


def test_a_day_later_it_does_not_flap() -> None:
    for minute in range(3):
        raised(minutes(minute), an_alert())
        raised(minutes(minute), an_alert(resolved=True))
    outcome = raised(minutes(24 * 60 + 3))[0]
    assert (outcome.decision, the(outcome).flaps) == (Decision.SENT, 0)


def test_fire_resolve_and_fire_in_one_batch() -> None:
    a_channel()
    outcomes = raised(NOON, an_alert(), an_alert(resolved=True), an_alert())
    assert [outcome.state for outcome in outcomes] == ["FIRING", "RESOLVED", "FIRING"]
    first, second = Alert.objects.order_by("pk")
    assert (first.state, second.state, second.flaps) == ("RESOLVED", "FIRING", 1)
