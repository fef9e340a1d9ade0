"""POST /api/v2/alerts by Django's view; tests/alerts/alertmanager/test_native.py has the fast way."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts.choices import AlertState
from alerts.models import Alert, LabelRule
from opsconsole.accounts.models import User
from tests.alerts.alertmanager.caller import Caller, in_minutes, posted

pytestmark = pytest.mark.django_db


def refusal(am: Caller, body: Any, **extra: Any) -> tuple[int, Any]:
    answer = am.ask("POST", "/alerts", body, **extra)
    return answer.status_code, answer.json()


# Refusals


def test_nobody_without_an_account(am: Caller) -> None:
    answer = am.ask("POST", "/alerts", [posted()], headers={"Authorization": ""})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == 401


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_who_may_not_raise_alerts(who: str, request: pytest.FixtureRequest) -> None:
    user: User = request.getfixturevalue(who)
    status, body = refusal(Caller(user), [posted()])
    assert (status, body) == (403, {"code": 403, "message": "This account may not raise alerts."})
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 422, "alerts in body is required"),
        ([{}], 422, "0.labels in body is required"),
        ([posted(), {"labels": None}], 422, "1.labels in body is required"),
        ([posted() | {"generatorURL": "%zz"}], 422, '0.generatorURL in body must be of type uri: "%zz"'),
        ([posted() | {"generatorURL": "foo"}], 422, '0.generatorURL in body must be of type uri: "foo"'),
        (b"{}", 400, "parsing alerts body"),
        (b"[", 400, "parsing alerts body"),
        (b"\xff\xfe", 400, "parsing alerts body"),
        ([{"labels": {"a": 1}}], 400, "parsing alerts body"),
        ([posted() | {"startsAt": "nonsense"}], 400, "parsing alerts body"),
    ],
)
def test_what_the_schema_forbids(am: Caller, body: Any, status: int, message: str) -> None:
    answered, content = refusal(am, body)
    assert answered == status
    assert content["message"].startswith(message)
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    ("alert", "message"),
    [
        ({"labels": {}}, "at least one label pair required"),
        ({"labels": {"alertname": ""}}, "at least one label pair required"),
        ({"labels": {"a-b": "x"}}, 'invalid label set: invalid name "a-b"'),
        ({"labels": {"a\n": "x"}}, 'invalid label set: invalid name "a\n"'),
        (posted() | {"annotations": {"b-c": "x"}}, 'invalid annotations: invalid name "b-c"'),
        (
            posted() | {"startsAt": in_minutes(2), "endsAt": in_minutes(1)},
            "start time must be before end time",
        ),
        (
            {"labels": {f"l{n}": "x" for n in range(10_000)}},
            "labels has 10000 entries; at most 64 are allowed.",
        ),
        ({"labels": {"alertname": "x\x00"}}, "title must be one line without control characters."),
    ],
)
def test_an_alert_that_cannot_be_taken_is_named_and_the_others_are_stored(
    am: Caller, alert: dict[str, Any], message: str
) -> None:
    status, body = refusal(am, [alert, posted("Sound")])
    assert (status, body) == (400, message)
    assert am.names() == ["Sound"]


def test_another_content_type(am: Caller) -> None:
    status, body = refusal(am, [posted()], content_type="text/plain")
    assert status == 415
    assert body["message"] == 'unsupported media type "text/plain", only [application/json] are allowed'


@pytest.mark.parametrize("method", ["PUT", "HEAD", "OPTIONS", "DELETE"])
def test_another_method(am: Caller, method: str) -> None:
    answer = am.ask(method, "/alerts", [])
    assert answer.status_code == 405
    if method != "HEAD":
        message = f"method {method} is not allowed, but [GET,POST] are"
        assert answer.json() == {"code": 405, "message": message}


# What is taken


@pytest.mark.parametrize("body", [b"[]", b"null", b" [] "])
def test_nothing_is_fine(am: Caller, body: bytes) -> None:
    assert am.ask("POST", "/alerts", body).status_code == 200


def test_an_alert_is_stored_with_what_its_labels_mean(am: Caller) -> None:
    am.post(posted("FeedStale", summary="No prices", severity="critical", category="data_quality", empty=""))
    alert = Alert.objects.get()
    assert (alert.category, alert.priority, alert.title) == ("DATA_QUALITY", "CRITICAL", "FeedStale")
    assert alert.labels == {"alertname": "FeedStale", "severity": "critical", "category": "data_quality"}
    assert (alert.message, alert.source, alert.raised_by) == ("No prices", "prometheus", "alice via tests")
    assert alert.ends_at is not None
    assert timedelta(minutes=5) <= alert.ends_at - alert.first_at <= timedelta(minutes=5, seconds=30)


def test_labels_that_no_rule_knows_are_a_system_error_of_its_rule_s_priority(am: Caller) -> None:
    am.post(posted("Odd"))
    alert = Alert.objects.get()
    assert (alert.category, alert.priority) == ("SYSTEM_ERROR", "HIGH")


def test_a_changed_label_rule_counts_from_the_next_alert_on(am: Caller) -> None:
    am.post(posted("One", team="risk"))
    LabelRule.objects.create(
        position=1,
        matchers=[{"name": "team", "value": "risk", "isRegex": False, "isEqual": True}],
        category="RISK_WARNING",
    )
    am.post(posted("Two", team="risk", severity="info"))
    assert Alert.objects.get(title="One").category == "SYSTEM_ERROR"
    two = Alert.objects.get(title="Two")
    assert (two.category, two.priority) == ("RISK_WARNING", "LOW")


def test_an_alert_without_a_name(am: Caller) -> None:
    am.post({"labels": {"a": "x"}})
    assert Alert.objects.get().title == "alert"
    assert [alert["fingerprint"] for alert in am.get("/alerts")] == ["d2c7718192a8a294"]


def test_sent_again_it_is_the_same_alert(am: Caller) -> None:
    first, later, end = in_minutes(-10), in_minutes(-3), in_minutes(6)
    am.post(posted(summary="old") | {"startsAt": first, "endsAt": in_minutes(3)})
    am.post(posted(summary="new") | {"startsAt": later, "endsAt": end})
    am.post(posted(summary="new") | {"startsAt": later, "endsAt": in_minutes(2)})
    (alert,) = am.get("/alerts")
    assert alert["startsAt"][:19] == first[:19]
    assert alert["endsAt"][:19] == end[:19]
    assert alert["annotations"] == {"summary": "new"}
    assert Alert.objects.get().count == 3


def test_twice_in_one_batch_is_one_alert(am: Caller) -> None:
    am.post(posted(), posted(), posted())
    assert Alert.objects.get().count == 3


def test_an_end_that_has_passed_resolves(am: Caller) -> None:
    am.post(posted() | {"startsAt": in_minutes(-10)})
    am.post(posted() | {"endsAt": in_minutes(-1)})
    assert am.names() == []
    assert Alert.objects.get().state == AlertState.RESOLVED
    am.post(posted() | {"startsAt": in_minutes(-0.1)})
    (alert,) = am.get("/alerts")
    assert alert["startsAt"][:16] == in_minutes(-0.1)[:16]


def test_resolving_what_does_not_fire_changes_nothing(am: Caller) -> None:
    am.post(posted() | {"endsAt": in_minutes(-1)})
    assert am.names() == []


def test_go_s_zero_time_is_none(am: Caller) -> None:
    am.post(posted() | {"startsAt": "0001-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00.000Z"})
    alert = Alert.objects.get()
    assert timezone.now() - alert.starts_at < timedelta(minutes=1)
    assert alert.ends_at is not None


def test_a_slash_at_the_end(am: Caller) -> None:
    assert am.ask("POST", "/alerts/", [posted()]).status_code == 200
    assert am.ask("GET", "/alerts/").status_code == 200
