"""POST /monitoring/alerts/webhook/alertmanager: what an existing Alertmanager sends."""

from typing import Any

import pytest

from alerts.choices import AlertState
from alerts.models import Alert
from opsconsole.accounts.models import User
from tests.alerts.alertmanager.caller import in_minutes
from tests.cast import caller

pytestmark = pytest.mark.django_db
PATH = "/monitoring/alerts/webhook/alertmanager"


def alert(status: str = "firing", **fields: Any) -> dict[str, Any]:
    whole = {
        "status": status,
        "labels": {"alertname": "FeedStale", "severity": "critical"},
        "annotations": {"summary": "No prices"},
        "startsAt": in_minutes(-5),
        "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else in_minutes(-1),
        "generatorURL": "http://prometheus/graph",
        "fingerprint": "01167342b0fed1b2",
    }
    return whole | fields


def payload(*alerts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    whole = {
        "version": "4",
        "groupKey": '{}:{alertname="FeedStale"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "opsconsole",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager",
        "alerts": list(alerts),
    }
    return whole | fields


def test_who_may_not(bob: User) -> None:
    answer = caller(bob).post(PATH, payload(alert()))
    assert answer.status_code == 403
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "The body is not an Alertmanager's webhook"),
        ({"alerts": []}, "version"),
        (payload(version="3"), 'version: must be "4"'),
        (payload(alert(status="odd")), "alerts.0.status: must be firing or resolved"),
        (payload(alert(labels={"a": 1})), "The body is not an Alertmanager's webhook"),
        (payload(alert(startsAt="soon")), "alerts.0: "),
        (payload(alert(labels={})), "alerts.0: at least one label pair required"),
    ],
)
def test_what_cannot_be_read(alice: User, body: Any, said: str) -> None:
    answer = caller(alice).post(PATH, body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]
    assert not Alert.objects.exists()


def test_an_alert_lasts_until_it_is_told_to_be_over(alice: User) -> None:
    answer = caller(alice).post(PATH, payload(alert(), alert(labels={"alertname": "Disk"})))
    assert (answer.status_code, answer.json()) == (200, {"taken": 2})
    stored = Alert.objects.get(title="FeedStale")
    assert (stored.source, stored.priority, stored.ends_at) == ("alertmanager", "CRITICAL", None)
    answer = caller(alice).post(PATH, payload(alert("resolved")))
    assert answer.json() == {"taken": 1}
    stored.refresh_from_db()
    assert stored.state == AlertState.RESOLVED
    assert Alert.objects.get(title="Disk").state == AlertState.FIRING


def test_good_alerts_of_a_payload_are_kept(alice: User) -> None:
    answer = caller(alice).post(PATH, payload(alert(), alert(labels={})))
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["taken"] == 1
    assert Alert.objects.get().title == "FeedStale"
