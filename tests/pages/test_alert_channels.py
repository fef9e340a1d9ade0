"""/alerts/channels, /alerts/rules and /alerts/noise."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from alerts.models import AlertRule, Delivery
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alert_rows import a_channel, an_alert, told
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

pytestmark = pytest.mark.django_db
URL = "/alerts/channels"


def test_nobody_signed_in(db: None) -> None:
    for path in (URL, "/alerts/rules", "/alerts/noise"):
        assert Client().get(path).status_code == 302


def test_a_viewer_is_told_who_may(alice: User, sam: User, bob: User, browse: Browse) -> None:
    a_channel()
    dead = told(an_alert(), a_channel("slack"), state="DEAD")
    client = browse(bob)
    response = client.post(f"{URL}/desk-ops/test")
    assert response.status_code == 403
    assert "Testing a channel needs a supervisor" in response.content.decode()
    response = client.post(f"/alerts/deliveries/{dead.pk}/resend")
    assert response.status_code == 403
    assert "Sending again needs an operator" in response.content.decode()
    dead.refresh_from_db()
    assert dead.state == "DEAD"


def test_there_is_none(sam: User, browse: Browse) -> None:
    client = browse(sam)
    assert client.post(f"{URL}/nowhere/test").status_code == 404
    assert client.post("/alerts/deliveries/4711/resend").status_code == 404


def test_none_set_up(bob: User, browse: Browse) -> None:
    text = browse(bob).get(URL).content.decode()
    assert "none: nobody is told" in text
    assert "Every delivery arrived, or is still being tried." in text


def test_what_fails_comes_first_and_what_waits_is_counted(bob: User, browse: Browse) -> None:
    now = timezone.now()
    a_channel("a-works", last_success_at=now)
    late = a_channel("b-late", last_success_at=now)
    a_channel("c-off", enabled=False, failures_in_a_row=9)
    a_channel("d-fails", last_failure_at=now, last_error="timed out", failures_in_a_row=3)
    told(None, late, state="PENDING", created_at=now - timedelta(minutes=9), finished_at=None)
    text = browse(bob).get(URL).content.decode()
    places = [text.index(name) for name in ("b-late", "d-fails", "a-works", "c-off")]
    assert places == sorted(places)
    assert "2 of 4 abnormal" in text
    assert "Failing, 3 in a row" in text
    assert "timed out" in text
    assert "Behind" in text


def test_what_was_given_up_can_be_sent_again(alice: User, browse: Browse) -> None:
    alert = an_alert("IBM <b>volatility</b>")
    dead = told(alert, a_channel(), state="DEAD", attempts=8, error="403: blocked")
    client = browse(alice)
    text = client.get(URL).content.decode()
    assert "after 8 tries: <bdi>403: blocked" in text
    assert "&lt;b&gt;volatility" in text
    response = client.post(f"/alerts/deliveries/{dead.pk}/resend", follow=True)
    assert "It goes out again." in response.content.decode()
    dead.refresh_from_db()
    assert dead.state == "PENDING"
    assert AuditEvent.objects.get(action="alerts.delivery_resent").actor_name == "alice"
    again = client.post(f"/alerts/deliveries/{dead.pk}/resend", follow=True).content.decode()
    assert "Nothing was sent again." in again


def test_a_test_goes_through_the_outbox(sam: User, browse: Browse) -> None:
    channel = a_channel("hook", kind="webhook")
    text = browse(sam).post(f"{URL}/hook/test", follow=True).content.decode()
    assert "A test goes out through hook." in text
    assert Delivery.objects.get(kind="test").channel == channel


def test_the_part_for_htmx_and_few_queries(bob: User, browse: Browse) -> None:
    alert = an_alert()
    for number in range(20):
        told(alert, a_channel(f"channel {number}"), state="DEAD")
    client = browse(bob)
    with most_queries(10):
        html = client.get(URL, headers={"HX-Request": "true"}).content.decode()
    assert html.startswith('<hx-partial hx-target="#channels">')
    assert "20 not delivered" in html


def test_rules_to_read(bob: User, sam: User, browse: Browse) -> None:
    AlertRule.objects.filter(category="COST_ALERT").update(
        enabled=False, quiet_start=0, quiet_end=0, time_zone="Asia/Tokyo", max_per_hour=1500
    )
    text = browse(bob).get("/alerts/rules").content.decode()
    assert "OFF" in text
    assert "1,500" in text
    assert "severity=~&quot;(?i)critical|page|emergency|fatal&quot;" in text
    assert "the end of the next business day" in text
    assert "Supervisors tune rules" in text
    assert "replay a change over stored alerts" in browse(sam).get("/alerts/rules").content.decode()


def test_noise_with_nothing_says_unknown_and_why(bob: User, browse: Browse) -> None:
    text = browse(bob).get("/alerts/noise").content.decode()
    assert "unknown, " in text
    assert "10-minute periods with more than 10 alerts" in text
    assert "95% or more" in text
