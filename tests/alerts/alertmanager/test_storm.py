"""More alerts than can be decided while their senders wait: written down, visible, and decided in their order."""

import json
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from alerts import tasks
from alerts.alertmanager import posted as store
from alerts.alertmanager import recording
from alerts.alertmanager.known import KnownAlerts
from alerts.alertmanager.recording import TooManyPosted, decide_posted
from alerts.alertmanager.times import time_text
from alerts.choices import AlertState
from alerts.locking import lock_decisions
from alerts.models import Alert, AlertRule, HourCount, MinuteTally, PostedAlerts, RepeatBatch
from alerts.services.ending import end_expired
from alerts.services.repeats import add_repeats
from tests.alerts.alertmanager.caller import Caller, matcher, posted
from tests.alerts.alertmanager.parcel import Web, over, storm, titles
from tests.alerts.raising import NOON, minutes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three alerts in one second are a storm."""
    monkeypatch.setattr(recording, "DECIDED_AT_ONCE", 2)
    monkeypatch.setattr(recording, "TOGETHER", 3)


# Refusals


def test_no_more_may_wait_than_can_be_kept(
    web: Web, few_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MOST_POSTED", 3)
    web.post(*storm("A", "B", "C", "D"), at=NOON)
    with pytest.raises(TooManyPosted):
        web.post(*storm("E"), at=NOON)
    assert PostedAlerts.objects.get().size == 4
    assert decide_posted() == 4
    web.post(*storm("E"), at=NOON)
    assert set(titles()) == set("ABCDE")


# Written down


def test_a_few_are_decided_at_once(web: Web, few_at_once: None) -> None:
    recorded = web.post(*storm("A", "B"), at=NOON)
    assert (recorded.posted, titles()) == (False, {"A": 1, "B": 1})


def test_a_few_at_a_time_are_many_in_one_second(web: Web, few_at_once: None) -> None:
    web.post(*storm("A"), at=NOON)
    web.post(*storm("B"), at=NOON + timedelta(milliseconds=500))
    assert web.post(*storm("C"), at=NOON + timedelta(milliseconds=900)).posted
    decide_posted(web.known)
    assert not web.post(*storm("D", "E"), at=NOON + timedelta(seconds=1)).posted


def test_many_are_written_down_and_then_decided(web: Web, few_at_once: None) -> None:
    recorded = web.post(*storm("A", "B", "C", "A"), at=NOON)
    assert (recorded.posted, recorded.problems) == (True, [[]])
    assert not Alert.objects.exists()
    assert decide_posted(web.known) == 4
    assert titles() == {"A": 2, "B": 1, "C": 1}
    assert set(Alert.objects.values_list("raised_by", "first_at", "priority")) == {
        ("tests", NOON, "MEDIUM"),
    }
    assert not PostedAlerts.objects.exists()
    assert decide_posted(web.known) == 0
    # Now they are known: another one costs a look-up.
    assert web.post(*storm("A", "B", "C"), at=minutes(1)).counted


def test_what_cannot_be_taken_is_said_and_the_rest_written_down(web: Web, few_at_once: None) -> None:
    bad = {"labels": {"alertname": "Bad", "a-b": "x"}}
    long = {"labels": {"alertname": "x" * 201}}
    recorded = web.post(*storm("A", "B"), bad, long, {"labels": {"a": ""}}, *storm("C"), at=NOON)
    assert recorded.problems == [
        [
            'invalid label set: invalid name "a-b"',
            "title has 201 characters; at most 200 are allowed.",
            "at least one label pair required",
        ]
    ]
    assert PostedAlerts.objects.get().size == 3
    assert decide_posted() == 3
    assert set(titles()) == set("ABC")


def test_while_some_wait_others_wait_behind_them(web: Web, few_at_once: None) -> None:
    web.post(*storm("A", "B", "C"), at=NOON)
    web.post(*storm("A"), at=minutes(1))
    assert not Alert.objects.exists()
    assert decide_posted() == 4
    assert titles()["A"] == 2


def test_what_is_critical_never_waits(web: Web, few_at_once: None) -> None:
    web.post(*storm("A", "B", "C"), at=NOON)
    urgent = posted("Fire", severity="critical")
    assert web.post(*storm("D"), urgent, at=NOON).posted
    assert titles() == {"Fire": 1}
    assert Alert.objects.get().decision == "SENT"
    web.post(urgent | {"endsAt": time_text(minutes(1))}, at=minutes(2))
    assert Alert.objects.get().state == AlertState.RESOLVED
    assert decide_posted() == 4
    assert titles() == {"A": 1, "B": 1, "C": 1, "D": 1, "Fire": 1}


def test_an_alert_that_would_be_over_by_now_was_there(web: Web, few_at_once: None) -> None:
    soon = storm("A")[0] | {"endsAt": time_text(NOON + timedelta(seconds=2))}
    web.post(soon, *storm("B", "C"), at=NOON)
    assert decide_posted() == 3
    assert Alert.objects.get(title="A").state == AlertState.FIRING
    assert end_expired(now=minutes(1)) == 1
    assert Alert.objects.get(title="A").resolved_at == NOON + timedelta(seconds=2)


def test_one_that_cannot_be_decided_holds_up_none_behind_it(
    web: Web, few_at_once: None, caplog: pytest.LogCaptureFixture
) -> None:
    PostedAlerts.objects.create(at=NOON, raised_by="tests", body=b'[{"of": "another version"}]', size=1)
    web.post(*storm("A", "B", "C"), at=NOON)
    with caplog.at_level(logging.ERROR):
        assert decide_posted() == 4
    assert "stay in alerts_postedalerts" in caplog.text
    assert set(titles()) == set("ABC")
    assert PostedAlerts.objects.get().failed
    assert (store.waiting(), decide_posted()) == (0, 0)


def test_without_a_database_all_of_it_stays(
    web: Web, few_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.post(*storm("A", "B", "C"), at=NOON)

    def gone(*_: object, **__: object) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(recording, "decide_alerts", gone)
        with pytest.raises(OperationalError):
            decide_posted()
    assert store.waiting() == 3
    # Whatever became of the process that took them: the tick decides them.
    tasks.tick()
    assert set(titles()) == set("ABC")


# The order of an alert's posts


def test_an_end_that_waits_keeps_later_ones_behind_it(web: Web, few_at_once: None) -> None:
    web.post(*storm("A"), at=NOON)
    web.post(*storm("A"), at=minutes(1))
    web.post(*storm("X", "Y", "Z"), over("A", minutes(2)), at=minutes(2))
    # Another process knows the alert, and must not count what came after its end before that.
    recorded = web.post(*storm("A"), at=minutes(3))
    assert (recorded.counted, recorded.posted) == (False, True)
    decide_posted(web.known)
    states = list(Alert.objects.filter(title="A").order_by("pk").values_list("state", "count"))
    assert states == [(AlertState.RESOLVED, 2), (AlertState.FIRING, 1)]


def test_begun_and_ended_while_waiting(web: Web, few_at_once: None) -> None:
    web.post(*storm("A", "B", "C"), at=NOON)
    web.post(over("A", minutes(1)), at=minutes(1))
    decide_posted(web.known)
    assert dict(Alert.objects.values_list("title", "state")) == {
        "A": AlertState.RESOLVED,
        "B": AlertState.FIRING,
        "C": AlertState.FIRING,
    }


# Listings


def test_what_waits_is_listed(am: Caller, web: Web, few_at_once: None) -> None:
    now = timezone.now()
    web.post(*storm("A", "B"), at=now)
    web.post(*storm("C", "D", "E", venue="x"), over("A", now), at=now)
    assert am.names() == ["B", "C", "D", "E"]
    (one,) = am.get("/alerts", filter='alertname="C"')
    assert (one["labels"], one["receivers"]) == (storm("C", venue="x")[0]["labels"], [{"name": "console"}])
    assert one["startsAt"] == time_text(now)
    assert am.names(filter='venue=~"x|y"') == ["C", "D", "E"]
    assert [group["labels"]["alertname"] for group in am.get("/alerts/groups")] == ["B", "C", "D", "E"]
    before = am.get("/alerts")
    decide_posted(web.known)
    assert [alert["fingerprint"] for alert in am.get("/alerts")] == [alert["fingerprint"] for alert in before]


def test_the_newest_post_of_an_alert_is_what_is_listed(am: Caller, web: Web, few_at_once: None) -> None:
    now = timezone.now()
    web.post(posted("A", summary="old") | {"startsAt": time_text(now)}, at=now)
    end = time_text(now + timedelta(hours=1))
    web.post(*storm("X", "Y", "Z"), posted("A", summary="new") | {"endsAt": end}, at=now)
    (alert,) = am.get("/alerts", filter="alertname=A")
    assert (alert["annotations"], alert["endsAt"]) == ({"summary": "new"}, end)
    assert alert["startsAt"] == time_text(now)
    decide_posted(web.known)
    assert am.get("/alerts", filter="alertname=A")[0]["annotations"] == {"summary": "new"}


def test_one_that_cannot_be_read_keeps_no_other_from_being_listed(
    am: Caller, web: Web, few_at_once: None
) -> None:
    PostedAlerts.objects.create(at=NOON, raised_by="tests", body=b'[{"of": "another version"}]', size=1)
    web.post(*storm("A", "B", "C"), at=timezone.now())
    assert am.names() == ["A", "B", "C"]


def test_a_silence_covers_what_waits(am: Caller, web: Web, few_at_once: None) -> None:
    # At whatever hour this runs.
    AlertRule.objects.update(quiet_start=0, quiet_end=0)
    web.post(*storm("A", "B", "C"), at=timezone.now())
    am.silence(matcher("alertname", "A"))
    (alert,) = am.get("/alerts", filter="alertname=A")
    assert alert["status"]["state"] == "suppressed"
    assert am.names(silenced="false") == ["B", "C"]
    decide_posted(web.known)
    # It came before the silence, and is decided as of then.
    assert Alert.objects.get(title="A").decision == "SENT"
    web.post(*storm("A"), at=timezone.now())
    assert Alert.objects.get(title="A").decision == "SILENCED"


def test_django_s_door_keeps_the_order(am: Caller, web: Web, few_at_once: None) -> None:
    web.post(*storm("A", "B", "C"), at=timezone.now())
    am.post(over("A", timezone.now()))
    assert Alert.objects.get(title="A").state == AlertState.RESOLVED
    assert am.names() == ["B", "C"]


# Many processes

WRITERS, POSTS, ADDERS = 6, 30, 2


def test_storms_from_many_processes_are_exact(few_at_once: None) -> None:
    """Each process with its own memory; one decides meanwhile, and two add up. Times raised, sent and held are those of one after the other."""
    webs = [Web() for _ in range(WRITERS)]
    together = Barrier(WRITERS + 1 + ADDERS)

    def write(number: int) -> None:
        try:
            together.wait(30)
            for step in range(POSTS):
                at = NOON + timedelta(seconds=step)
                own = storm(f"U{number}-{step}")
                webs[number].post(*own, *storm(*(f"S{(step + n) % 9}" for n in range(6))), at=at)
        finally:
            connection.close()

    def decide() -> None:
        try:
            together.wait(30)
            for _ in range(40):
                decide_posted(webs[0].known)
        finally:
            connection.close()

    def add() -> None:
        try:
            together.wait(30)
            for _ in range(40):
                add_repeats()
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS + 1 + ADDERS) as pool:
        writers = [pool.submit(write, number) for number in range(WRITERS)]
        others = [pool.submit(work) for work in (decide, *[add] * ADDERS)]
        for future in (*writers, *others):
            future.result()
    decide_posted()
    with transaction.atomic():
        lock_decisions()
    counts = titles()
    total = WRITERS * POSTS * 7
    assert sum(counts.values()) == total
    assert {counts[f"U{number}-{step}"] for number in range(WRITERS) for step in range(POSTS)} == {1}
    assert sum(counts[f"S{n}"] for n in range(9)) == WRITERS * POSTS * 6
    decided: Counter[str] = Counter()
    for decision, count in MinuteTally.objects.values_list("decision", "count"):
        decided[decision] += count
    assert decided.total() == total
    sent = HourCount.objects.get(category="SYSTEM_ERROR").sent
    assert sent == decided["SENT"] == 20
    assert not RepeatBatch.objects.exists()
    assert not PostedAlerts.objects.exists()


def test_bodies_are_kept_as_they_came(web: Web, few_at_once: None) -> None:
    """Rebuilt only where something of the post was taken at once; then without a loss."""
    alerts = [
        posted("A", severity="warning", summary="é \u202e <b>")
        | {"generatorURL": "http://p/graph?g0.expr=up"},
        posted("B", severity="warning") | {"startsAt": "2026-11-23T11:00:00.123456789Z"},
        posted("C", severity="warning"),
    ]
    web.post(*alerts, at=NOON)
    web.post(*alerts, posted("Fire", severity="critical"), at=NOON)
    whole, rebuilt = PostedAlerts.objects.order_by("pk")
    assert bytes(whole.body) == json.dumps(alerts).encode()
    assert (whole.size, rebuilt.size) == (3, 3)
    decide_posted(KnownAlerts())
    assert {title: count for title, count in titles().items() if title != "Fire"} == {"A": 2, "B": 2, "C": 2}
    assert Alert.objects.get(title="A").annotations == alerts[0]["annotations"]
    assert Alert.objects.get(title="A").generator_url == alerts[0]["generatorURL"]
    assert Alert.objects.get(title="B").starts_at.isoformat() == "2026-11-23T11:00:00.123457+00:00"
