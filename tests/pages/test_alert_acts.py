"""POST on the alert pages: acknowledge (one, many), take back, assign, resolve; refusals first."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from alerts.models import Alert
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alert_rows import an_alert, resolved
from tests.pages.browse import Browse

pytestmark = pytest.mark.django_db
ACTS = ("acknowledge", "unacknowledge", "resolve", "assign")


def said(response: Any) -> str:
    """The messages that the next page will show."""
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def follow(client: Client, path: str, **fields: object) -> str:
    return client.post(path, fields, follow=True).content.decode()


@pytest.fixture
def alert(db: None) -> Alert:
    return an_alert()


@pytest.mark.parametrize("path", [*(f"1/{act}" for act in ACTS), "acknowledge", "undo"])
def test_only_by_post_and_signed_in(path: str, alice: User, browse: Browse) -> None:
    assert browse(alice).get(f"/alerts/{path}").status_code == 405
    assert Client().post(f"/alerts/{path}").status_code == 302


@pytest.mark.parametrize("act", ACTS)
def test_a_viewer_is_told_who_may(act: str, alert: Alert, alice: User, bob: User, browse: Browse) -> None:
    response = browse(bob).post(f"/alerts/{alert.pk}/{act}", {"note": "x"})
    assert response.status_code == 403
    assert "needs an operator" in response.content.decode()
    assert "Ask alice." in response.content.decode()
    alert.refresh_from_db()
    assert (alert.acknowledged_at, alert.assignee, alert.state) == (None, None, "FIRING")
    assert not AuditEvent.objects.filter(object_type="alerts.alert").exists()


@pytest.mark.parametrize("act", ACTS)
def test_there_is_none(act: str, alice: User, browse: Browse) -> None:
    assert browse(alice).post(f"/alerts/4711/{act}", {"note": "x"}).status_code == 404


@pytest.mark.parametrize("act", ["acknowledge", "unacknowledge", "assign"])
def test_what_is_over_has_no_owner(act: str, alice: User, browse: Browse) -> None:
    over = resolved()
    response = browse(alice).post(f"/alerts/{over.pk}/{act}", {"note": "x"})
    assert response.status_code == 303
    assert "Nothing was changed." in said(response)


@pytest.mark.parametrize(
    ("act", "fields", "why"),
    [
        ("acknowledge", {"note": "x" * 2001}, "2000 characters or less"),
        ("acknowledge", {"hours": "7"}, "hours: 0"),
        ("resolve", {"note": " "}, "Say why"),
        ("assign", {"user": "4711"}, "Choose a person"),
    ],
)
def test_fields_that_cannot_be_read(
    act: str, fields: dict[str, str], why: str, alert: Alert, alice: User, browse: Browse
) -> None:
    response = browse(alice).post(f"/alerts/{alert.pk}/{act}", fields)
    assert why in said(response)
    assert not AuditEvent.objects.filter(object_type="alerts.alert").exists()


def test_acknowledge_and_undo(alert: Alert, alice: User, browse: Browse) -> None:
    client = browse(alice)
    text = follow(client, f"/alerts/{alert.pk}/acknowledge")
    assert "It is yours." in text
    alert.refresh_from_db()
    assert alert.acknowledged_by == "alice"
    event = AuditEvent.objects.get(action="alerts.acknowledged")
    assert (event.actor_name, event.object_id) == ("alice", str(alert.pk))
    assert 'id="undo"' in text
    assert f'name="alert" value="{alert.pk}"' in text
    assert "Undone: 1 acknowledgement taken back." in follow(client, "/alerts/undo", alert=alert.pk)
    alert.refresh_from_db()
    assert alert.acknowledged_at is None


def test_what_was_done_is_said_once(alert: Alert, alice: User, browse: Browse) -> None:
    client = browse(alice)
    follow(client, f"/alerts/{alert.pk}/acknowledge")
    assert "It is yours." not in client.get(f"/alerts/{alert.pk}").content.decode()


def test_with_a_note_and_an_end(alert: Alert, alice: User, browse: Browse) -> None:
    browse(alice).post(f"/alerts/{alert.pk}/acknowledge", {"note": "looking", "hours": "4"})
    alert.refresh_from_db()
    assert alert.acknowledge_note == "looking"
    assert alert.acknowledged_until is not None
    assert abs(alert.acknowledged_until - timezone.now() - timedelta(hours=4)) < timedelta(minutes=1)


def test_many_at_once(alice: User, browse: Browse) -> None:
    one, two, over, other = an_alert("one"), an_alert("two"), resolved(), an_alert("other")
    client = browse(alice)
    text = follow(client, "/alerts/acknowledge", alert=[one.pk, two.pk, over.pk, "rubbish", "9" * 30])
    assert "2 alerts are yours." in text
    assert "1 of them was over already." in text
    owned = Alert.objects.filter(acknowledged_by="alice")
    assert set(owned.values_list("pk", flat=True)) == {one.pk, two.pk}
    assert follow(client, "/alerts/acknowledge", one=other.pk, alert=[one.pk]).count("“other” is yours.") == 1
    assert "select alerts first" in follow(client, "/alerts/acknowledge")


def test_many_for_a_script_come_back_as_parts(alice: User, browse: Browse) -> None:
    first, second = an_alert("first"), an_alert("second")
    response = browse(alice).post(
        "/alerts/acknowledge", {"one": first.pk, "next": "/alerts"}, headers={"HX-Request": "true"}
    )
    html = response.content.decode()
    assert re.findall(r'hx-target="#([a-z-]+)"', html) == ["alerts-said", "needing"]
    assert f'id="alert-{second.pk}"' in html
    assert f'id="alert-{first.pk}"' not in html
    assert 'id="undo"' in html


def test_resolve(alert: Alert, alice: User, browse: Browse) -> None:
    text = follow(browse(alice), f"/alerts/{alert.pk}/resolve", note="Vendor restarted")
    assert "Resolved. Whoever was told" in text
    alert.refresh_from_db()
    assert (alert.state, alert.resolved_by, alert.resolve_note) == ("RESOLVED", "alice", "Vendor restarted")


def test_assign(alert: Alert, alice: User, sam: User, browse: Browse) -> None:
    client = browse(alice)
    assert "Assigned to sam." in follow(client, f"/alerts/{alert.pk}/assign", user=sam.pk, note="yours")
    alert.refresh_from_db()
    assert alert.assignee == sam
    assert "assigned to nobody" in follow(client, f"/alerts/{alert.pk}/assign", user="", note="")


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil"]
)
def test_the_way_back_is_one_of_ours(wanted: str, alert: Alert, alice: User, browse: Browse) -> None:
    response = browse(alice).post(f"/alerts/{alert.pk}/acknowledge", {"next": wanted})
    assert response["Location"] == f"/alerts/{alert.pk}"


def test_from_the_overview_and_back(alert: Alert, alice: User, browse: Browse) -> None:
    client = browse(alice)
    assert f'id="need-alert-{alert.pk}-ack"' in client.get("/").content.decode()
    response = client.post("/alerts/acknowledge", {"one": alert.pk, "next": "/"})
    assert response["Location"] == "/"
    text = client.get("/").content.decode()
    assert f'id="need-alert-{alert.pk}"' not in text
    assert "It is not escalated any more." in text
