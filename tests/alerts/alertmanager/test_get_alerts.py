"""GET /api/v2/alerts and /alerts/groups: filters, flags, receivers, silences, stops."""

from typing import Any

import pytest
from django.utils import timezone

from alerts.alertmanager import listing
from alerts.choices import AlertState
from alerts.models import Alert, Channel
from alerts.services.raised import RaisedAlert
from alerts.services.raising import raise_alerts
from killswitch import services as killswitch
from opsconsole.accounts.models import User
from tests.alerts.alertmanager.caller import Caller, in_minutes, matcher, posted
from tests.cast import ROOT, acting

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(am: Caller) -> Caller:
    """Feed on NYSE, Feed on LSE, and Disk without a venue."""
    am.post(posted("Feed", venue="NYSE"), posted("Feed", venue="LSE"), posted("Disk", path='C:\\x "y"'))
    return am


def kinds(am: Caller, **query: Any) -> list[str]:
    return sorted(alert["labels"].get("venue", "-") for alert in am.get("/alerts", **query))


# Refusals


@pytest.mark.parametrize("path", ["/alerts", "/alerts/groups", "/status", "/receivers", "/silences"])
def test_who_may_not_look(path: str, charlie: User) -> None:
    answer = Caller(charlie).ask("GET", path)
    assert answer.status_code == 403
    assert answer.json()["code"] == 403


@pytest.mark.parametrize("text", ["", "nonsense", 'a="x",b="y"', '{a="x"}', 'a="x', 'a=x"y', "a=~(", "=x"])
@pytest.mark.parametrize("path", ["/alerts", "/alerts/groups", "/silences"])
def test_a_filter_that_cannot_be_read(am: Caller, path: str, text: str) -> None:
    answer = am.client.get(f"/api/v2{path}", {"filter": text})
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)


def test_a_receiver_that_cannot_be_read(am: Caller) -> None:
    answer = am.client.get("/api/v2/alerts", {"receiver": "["})
    assert answer.status_code == 400
    assert answer.json().startswith("failed to parse receiver param: ")


def test_another_address(am: Caller) -> None:
    answer = am.ask("GET", "/nothing")
    assert answer.status_code == 404
    assert answer.json() == {"code": 404, "message": "path /api/v2/nothing was not found"}


# One alert


def test_how_an_alert_looks(am: Caller) -> None:
    am.post(
        posted("Feed", summary="Stale", venue="NYSE")
        | {"generatorURL": "http://p/graph", "endsAt": in_minutes(4)}
    )
    (alert,) = am.get("/alerts")
    stored = Alert.objects.get()
    assert stored.ends_at is not None
    for name, moment in (
        ("startsAt", stored.starts_at),
        ("updatedAt", stored.last_at),
        ("endsAt", stored.ends_at),
    ):
        assert alert.pop(name) == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert len(alert.pop("fingerprint")) == 16
    assert alert == {
        "annotations": {"summary": "Stale"},
        "generatorURL": "http://p/graph",
        "labels": {"alertname": "Feed", "venue": "NYSE"},
        "receivers": [{"name": "console"}],
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
    }


def test_alerts_of_other_sources_have_a_name_and_a_category(am: Caller) -> None:
    raise_alerts(
        actor=ROOT,
        alerts=[
            RaisedAlert(
                category="COST_ALERT",
                title="Budget",
                message="90 % used",
                source="api",
                labels={"model": "o"},
            )
        ],
    )
    am.post(posted("Feed"))
    labels = {"alertname": "Budget", "category": "COST_ALERT", "model": "o"}
    (alert,) = am.get("/alerts", filter=['alertname="Budget"', "category=~COST.*", "model!=x"])
    assert alert["labels"] == labels
    assert alert["annotations"] == {"summary": "Budget", "description": "90 % used"}
    assert am.names() == ["Budget", "Feed"]
    assert am.names(filter='alertname!="Budget"') == ["Feed"]


def test_they_are_sorted_by_fingerprint_and_each_is_there_once(
    am: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "SCAN_ROWS", 7)
    monkeypatch.setattr(listing, "TEXT_ROWS", 5)
    am.post(*(posted(f"A{number}") for number in range(50)))
    found = [alert["fingerprint"] for alert in am.get("/alerts")]
    assert found == sorted(set(found))
    assert len(found) == 50


def test_what_is_resolved_or_over_is_not_listed(am: Caller) -> None:
    am.post(posted("Over"), posted("Done"), posted("Fires"))
    now = timezone.now()
    Alert.objects.filter(title="Over").update(ends_at=now)
    Alert.objects.filter(title="Done").update(state=AlertState.RESOLVED, resolved_at=now)
    assert am.names() == ["Fires"]


# Filters


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("venue=NYSE", ["NYSE"]),
        ('venue = "NYSE" ', ["NYSE"]),
        ("venue!=NYSE", ["-", "LSE"]),
        ('venue=""', ["-"]),
        ("venue=", ["-"]),
        ('venue!=""', ["LSE", "NYSE"]),
        ("venue=~N.*", ["NYSE"]),
        ("venue=~YS", []),
        ("venue!~N.*", ["-", "LSE"]),
        ("venue=~", ["-"]),
        ("venue=~.*", ["-", "LSE", "NYSE"]),
        ("venue!~.+", ["-"]),
        ("venue=~NYSE|LSE", ["LSE", "NYSE"]),
        ("nothere=x", []),
        ("nothere!=x", ["-", "LSE", "NYSE"]),
        (["alertname=Feed", "venue!=LSE"], ["NYSE"]),
        (r'path="C:\\x \"y\""', ["-"]),
        ("venue=NYSE\n", ["NYSE"]),
        ('venue="NYSE\n"', []),
    ],
)
def test_filters(three: Caller, filters: Any, found: list[str]) -> None:
    assert kinds(three, filter=filters) == found


def test_a_pattern_that_would_hang_other_engines_does_not(three: Caller) -> None:
    three.post(posted("Long", text="a" * 500 + "!"))
    assert three.names(filter="text=~(a+)+$") == []


def test_a_filter_by_name_uses_the_index_on_labels(three: Caller, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(22):
        assert kinds(three, filter="venue=NYSE") == ["NYSE"]


# Flags


def test_silenced_alerts(three: Caller) -> None:
    one = three.silence(matcher("venue", "NYSE"))
    other = three.silence(matcher("venue", "N.*", regex=True))
    three.silence(matcher("venue", "LSE"), matcher("alertname", "Disk"))
    three.silence(matcher("venue", "LSE"), startsAt=in_minutes(10))
    (alert,) = three.get("/alerts", filter="venue=NYSE")
    assert alert["status"] == {
        "state": "suppressed",
        "silencedBy": sorted([one, other]),
        "inhibitedBy": [],
        "mutedBy": [],
    }
    assert kinds(three, silenced="false") == ["-", "LSE"]
    assert kinds(three, active="false") == ["NYSE"]
    assert kinds(three, active="maybe") == ["NYSE"]
    assert kinds(three, unprocessed="false", unknown="x", receiver="") == ["-", "LSE", "NYSE"]


def test_what_follows_from_a_stop_is_suppressed_and_says_so(three: Caller, alice: User) -> None:
    killswitch.activate(actor=acting(alice), reason="MANUAL", message="", scope="venue:NYSE")
    three.post(posted("NoTrades", venue="NYSE", expected_when="halted"))
    three.post(posted("NoTrades", venue="LSE", expected_when="halted"))
    found = {
        alert["labels"]["venue"]: alert["status"]
        for alert in three.get("/alerts", filter="alertname=NoTrades")
    }
    assert found["NYSE"] == {
        "state": "suppressed",
        "silencedBy": [],
        "inhibitedBy": [],
        "mutedBy": ["halt venue:NYSE"],
    }
    assert found["LSE"]["state"] == "active"
    assert kinds(three, filter="alertname=NoTrades", inhibited="false") == ["LSE"]


# Receivers and groups


@pytest.fixture
def channels(db: None) -> None:
    now = timezone.now()
    fields: dict[str, Any] = {"kind": "webhook", "created_at": now, "updated_at": now}
    Channel.objects.create(name="desk", min_priority="LOW", **fields)
    Channel.objects.create(name="on call", min_priority="CRITICAL", **fields)
    Channel.objects.create(name="data", categories=["DATA_QUALITY"], **fields)
    Channel.objects.create(name="later", escalation=1, **fields)
    Channel.objects.create(name="off", enabled=False, **fields)


@pytest.mark.usefixtures("channels")
def test_receivers_are_the_channels_that_are_told(am: Caller) -> None:
    assert am.get("/receivers") == [{"name": name} for name in ("console", "data", "desk", "on call")]
    am.post(posted("A", severity="info"), posted("B", severity="critical", category="DATA_QUALITY"))
    told = {a["labels"]["alertname"]: [r["name"] for r in a["receivers"]] for a in am.get("/alerts")}
    assert told == {"A": ["desk"], "B": ["data", "desk", "on call"]}
    assert am.names(receiver="on.*") == ["B"]
    assert am.names(receiver="on") == []


@pytest.mark.usefixtures("channels")
def test_groups_are_by_name_and_receiver(am: Caller) -> None:
    am.post(
        posted("A", severity="info", n="1"),
        posted("A", severity="info", n="2"),
        posted("B", severity="critical"),
    )
    groups = am.get("/alerts/groups")
    assert [(g["labels"], g["receiver"]["name"], len(g["alerts"]), g["routeLabels"]) for g in groups] == [
        ({"alertname": "A"}, "desk", 2, {}),
        ({"alertname": "B"}, "desk", 1, {}),
        ({"alertname": "B"}, "on call", 1, {}),
    ]
    assert [g["labels"]["alertname"] for g in am.get("/alerts/groups", receiver="on call")] == ["B"]
    am.silence(matcher("n", "1"))
    assert len(am.get("/alerts/groups", silenced="false", receiver="desk")[0]["alerts"]) == 1
    am.silence(matcher("n", "2"))
    assert [g["labels"]["alertname"] for g in am.get("/alerts/groups", muted="false")] == ["B", "B"]
