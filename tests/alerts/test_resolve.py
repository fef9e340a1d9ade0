"""Ending an alert: whoever was told that it began is told that it is over."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.models import Alert, Delivery, KindTally
from alerts.services import owning
from alerts.services.raised import RaisedAlert
from alerts.services.raising import raise_alerts
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.rows import NOW, a_channel, firing
from tests.cast import ROOT, acting, caller

MINUTE = timedelta(minutes=1)


def resolve(user: User, alert: Alert, note: str = "fixed") -> owning.Owned:
    return owning.resolve(actor=acting(user), alert_id=alert.pk, note=note, now=NOW)


def test_a_viewer_may_not(bob: User) -> None:
    alert = firing()
    assert caller(bob).post(f"/monitoring/alerts/{alert.pk}/resolve").status_code == 403
    alert.refresh_from_db()
    assert alert.state == "FIRING"


def test_what_is_not_there(alice: User) -> None:
    assert caller(alice).post("/monitoring/alerts/4711/resolve").status_code == 404


def test_a_note_has_its_length(alice: User) -> None:
    alert = firing()
    answer = caller(alice).post(f"/monitoring/alerts/{alert.pk}/resolve", {"note": "x" * 2001})
    assert list(answer.json()["error"]["details"]) == ["note"]
    with pytest.raises(ValueError, match="note: must be a text of 0 to 2000 characters"):
        resolve(alice, alert, note="x" * 2001)


def test_ends_it(alice: User) -> None:
    alert = firing(held=True)
    owned = resolve(alice, alert)
    alert.refresh_from_db()
    assert owned.changed
    assert (alert.state, alert.resolved_at, alert.resolved_by, alert.resolve_note) == (
        "RESOLVED",
        NOW,
        "alice",
        "fixed",
    )
    assert (alert.escalate_at, alert.held) == (None, False)
    assert KindTally.objects.get().acted == 1
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name, event.reason) == ("alerts.resolved", "alice", "fixed")


def test_tells_whoever_was_told(alice: User) -> None:
    channel = a_channel()
    alert = firing()
    channel.deliveries.create(
        alert=alert,
        channel_name="desk",
        kind="firing",
        priority="HIGH",
        state="SENT",
        created_at=NOW,
        due_at=NOW,
    )
    resolve(alice, alert)
    assert Delivery.objects.filter(alert=alert, kind="resolved", channel=channel).count() == 1


def test_tells_nobody_of_what_nobody_heard(alice: User) -> None:
    a_channel()
    resolve(alice, firing(decision="DEDUPED", sent_count=0))
    assert not Delivery.objects.exists()


def test_the_second_time_nothing_changes(alice: User, sam: User) -> None:
    alert = firing()
    resolve(alice, alert)
    again = resolve(sam, alert)
    assert not again.changed
    assert again.alert.resolved_by == "alice"
    assert AuditEvent.objects.count() == 1


def test_through_the_api_once_for_a_key(alice: User) -> None:
    alert, client = firing(), caller(alice)
    path, body = f"/monitoring/alerts/{alert.pk}/resolve", {"note": "fixed"}
    first, again = (client.post(path, body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json()["changed"] is again.json()["changed"] is True
    assert first.json()["alert"]["resolve_note"] == "fixed"
    assert AuditEvent.objects.filter(action="alerts.resolved").count() == 1


def test_what_its_source_raises_again_is_a_new_one(alice: User) -> None:
    raised = RaisedAlert(category="RISK_WARNING", title="Volatility of TSLA", source="prometheus")
    (first,) = raise_alerts(actor=ROOT, alerts=[raised], now=NOW)
    assert first.alert_id is not None
    owning.resolve(actor=acting(alice), alert_id=first.alert_id, note="", now=NOW + MINUTE)
    (second,) = raise_alerts(actor=ROOT, alerts=[raised], now=NOW + 2 * MINUTE)
    assert second.alert_id is not None
    assert second.alert_id != first.alert_id
    assert list(Alert.objects.order_by("pk").values_list("state", flat=True)) == ["RESOLVED", "FIRING"]
    assert Alert.objects.get(pk=second.alert_id).acknowledged_at is None


def test_what_it_resolves_itself_meanwhile_stays_resolved_by_whom(alice: User) -> None:
    raised = RaisedAlert(category="RISK_WARNING", title="Volatility of TSLA", source="api")
    (first,) = raise_alerts(actor=ROOT, alerts=[raised], now=NOW)
    assert first.alert_id is not None
    owning.resolve(actor=acting(alice), alert_id=first.alert_id, note="", now=NOW + MINUTE)
    raise_alerts(actor=ROOT, alerts=[replace(raised, resolved=True)], now=NOW + 2 * MINUTE)
    assert Alert.objects.get().resolved_by == "alice"
