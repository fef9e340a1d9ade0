"""Signing a day off: refusals, what is kept, who may, and the alert when nobody does."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from alerts.models import Submission
from monitoring.health.models import HealthComponent
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from opsconsole.audit.tuned import ChangedMeanwhile, Refused
from opsconsole.checklist import selectors, services
from opsconsole.checklist.choices import Progress
from opsconsole.checklist.due import Schedule
from opsconsole.checklist.models import ChecklistDay, ChecklistRule
from tests.cast import acting, caller
from tests.checklist.conftest import DUE, NOW
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

MINUTE = timedelta(minutes=1)
API = "/monitoring/checklist"


def told() -> list[tuple[str, str, bool]]:
    rows = Submission.objects.filter(alert__source="checklist").order_by("pk")
    return [(row.alert["dedupe_key"], row.alert["priority"], row.alert["resolved"]) for row in rows]


def degrade() -> None:
    HealthComponent.objects.filter(slug="disk-space").update(status="degraded", message="91% used")


@pytest.mark.usefixtures("all_green")
def test_what_is_not_green_needs_a_comment_and_is_kept_with_its_values(alice: User) -> None:
    degrade()
    with pytest.raises(services.CommentNeeded, match="comment: 1 of 6 lines are not green"):
        services.sign(actor=acting(alice), comment="  ", now=NOW)
    assert not ChecklistDay.objects.filter(signed_at__isnull=False).exists()
    row, changed = services.sign(actor=acting(alice), comment="disk is ordered", now=NOW)
    HealthComponent.objects.update(status="healthy")
    row.refresh_from_db()
    assert (changed, row.day, row.signed_by, row.signed_at, row.not_green) == (
        True,
        date(2026, 11, 24),
        "alice",
        NOW,
        1,
    )
    health = row.lines[0]
    assert (health["verdict"], health["text"]) == ("red", "Degraded: Disk Space is degraded: 91% used")
    assert health["values"]["abnormal"] == [
        {"name": "Disk Space", "status": "degraded", "message": "91% used"}
    ]
    event = AuditEvent.objects.get(action="checklist.signed")
    assert (event.actor_name, event.reason) == ("alice", "disk is ordered")
    assert event.metadata["not_green"] == {"System health": "Degraded: Disk Space is degraded: 91% used"}


@pytest.mark.usefixtures("all_green")
def test_the_first_signature_stays(alice: User, sam: User) -> None:
    services.sign(actor=acting(alice), comment="", now=NOW)
    row, changed = services.sign(actor=acting(sam), comment="me too", now=NOW + MINUTE)
    assert (changed, row.signed_by, row.comment) == (False, "alice", "")
    assert AuditEvent.objects.filter(action="checklist.signed").count() == 1


@pytest.mark.usefixtures("all_green")
def test_nobody_signs_what_has_changed_since_he_looked(alice: User) -> None:
    seen = selectors.evaluated(now=NOW).seen
    degrade()
    with pytest.raises(services.ChangedSinceSeen, match="look again"):
        services.sign(actor=acting(alice), comment="fine", seen=seen, now=NOW)
    assert not ChecklistDay.objects.filter(signed_at__isnull=False).exists()


@pytest.mark.usefixtures("all_green")
def test_unsigned_by_the_hour_is_told_once_until_it_is_signed(alice: User) -> None:
    assert not services.look(now=DUE - MINUTE)
    assert services.look(now=DUE)
    assert not services.look(now=DUE + MINUTE)
    assert told() == [("checklist:2026-11-24", "MEDIUM", False)]
    assert Submission.objects.get().alert["ends_at"] == "2026-11-25T05:00:00Z"
    services.sign(actor=acting(alice), comment="late, sorry", now=DUE + MINUTE)
    assert told()[1:] == [("checklist:2026-11-24", "MEDIUM", True)]
    assert not services.look(now=DUE + 2 * MINUTE)


def test_not_on_days_that_are_not_asked_for_nor_before_there_was_a_console(installed: None) -> None:
    saturday = NOW + timedelta(days=4, hours=8)
    assert selectors.today(now=saturday).progress == Progress.NOT_ASKED
    assert not services.look(now=saturday)
    ChecklistRule.objects.update(since=NOW)
    assert not services.look(now=DUE)
    assert services.look(now=DUE + timedelta(days=1))


def test_the_hour_is_that_of_its_zone_whatever_the_trading_day_is() -> None:
    schedule = Schedule(time(15), ZoneInfo("Europe/Berlin"), [1])
    assert schedule.due(date(2026, 11, 24)) == datetime(2026, 11, 24, 14, tzinfo=UTC)
    assert schedule.due(date(2026, 11, 25)) is None


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([0, 1, 2, 3, 4], "Monday to Friday by 09:30"),
        ([6, 0], "Monday, Sunday by 09:30"),
        ([], "Never by 09:30"),
    ],
)
def test_weekdays_in_words(days: list[int], words: str) -> None:
    assert Schedule(time(9, 30), ZoneInfo("UTC"), days).words == words


def test_the_rule_is_tuned_and_its_alert_follows(installed: None, sam: User) -> None:
    services.look(now=DUE)
    for values, problem in (
        ({"days": [0, 7]}, "days: must list weekdays"),
        ({"zone": "Mars"}, "zone: must be empty or"),
        ({"cache_hit_pct": 100}, "cache_hit_pct: must be a number"),
        ({"since": None}, "since: is not a field here"),
    ):
        with pytest.raises(Refused, match=problem):
            services.change_rule(actor=acting(sam), values=values, reason="x", now=DUE)
    with pytest.raises(ChangedMeanwhile, match="version 1"):
        services.change_rule(actor=acting(sam), values={"by": time(10)}, reason="x", version=2, now=DUE)
    services.change_rule(actor=acting(sam), values={"by": time(10)}, reason="we begin later", now=DUE)
    assert [resolved for _, _, resolved in told()] == [False, True]
    event = AuditEvent.objects.get(action="checklist.rule_changed")
    assert event.before is not None
    assert event.after is not None
    assert (event.before["by"], event.after["by"], event.reason) == ("09:30", "10:00", "we begin later")


# Pages


@pytest.mark.django_db
def test_who_may_not(bob: User, charlie: User, browse: Browse) -> None:
    assert Client().get("/checklist").status_code == 302
    assert browse(charlie).get("/checklist").status_code == 403
    assert browse(bob).post("/checklist/sign", {"comment": "x"}).status_code == 403
    assert "Signing off needs an operator." in browse(bob).get("/checklist").content.decode()
    assert browse(bob).get("/checklist/days/2026-11-24").status_code == 404
    assert not ChecklistDay.objects.exists()


@pytest.mark.django_db
def test_looking_signing_and_looking_back(alice: User, bob: User, browse: Browse) -> None:
    client = browse(alice)
    with most_queries(25):
        text = client.get("/checklist").content.decode()
    seen = text.split('id="lines-seen" value="')[1].split('"')[0]
    assert "unknown: never reported" in text
    refused = client.post("/checklist/sign", {"seen": seen})
    assert refused.status_code == 422
    assert "so say why it is signed off all the same" in refused.content.decode()
    stale = client.post("/checklist/sign", {"seen": "health=green", "comment": "fine"})
    assert stale.status_code == 409
    assert "look again" in stale.content.decode()
    done = client.post("/checklist/sign", {"seen": seen, "comment": "nothing runs <yet>"})
    assert (done.status_code, done["Location"]) == (303, "/checklist")
    text = browse(bob).get("/checklist").content.decode()
    assert "Signed off by alice" in text
    day = ChecklistDay.objects.get().day.isoformat()
    assert f'href="/checklist/days/{day}"' in browse(bob).get("/checklist/days").content.decode()
    text = browse(bob).get(f"/checklist/days/{day}").content.decode()
    assert "“nothing runs &lt;yet&gt;”" in text
    assert "As it was then" in text


@pytest.mark.django_db
def test_days_are_paged(bob: User, browse: Browse) -> None:
    first = date(2026, 1, 1)
    ChecklistDay.objects.bulk_create(
        ChecklistDay(day=first + timedelta(days=number), told_at=NOW) for number in range(60)
    )
    client = browse(bob)
    text = client.get("/checklist/days").content.decode()
    assert text.count("Not signed") == 50
    older = text.split('href="?')[1].split('"')[0]
    assert client.get(f"/checklist/days?{older}").content.decode().count("Not signed") == 10
    assert client.get("/checklist/days?before=x").status_code == 422


@pytest.mark.django_db
def test_the_overview_asks_for_it(bob: User, alice: User, browse: Browse) -> None:
    ChecklistRule.objects.update(days=list(range(7)))
    text = browse(bob).get("/").content.decode()
    assert "Left: " in text
    services.sign(actor=acting(alice), comment="fine")
    assert "need-checklist" not in browse(bob).get("/").content.decode()


@pytest.mark.django_db
def test_the_admin_tunes_it_through_the_service(sam: User, browse: Browse) -> None:
    User.objects.update(is_staff=True)
    url = "/admin/checklist/checklistrule/1/change/"
    fields: dict[str, Any] = {
        "enabled": "on", "by": "08:00", "zone": "", "days": [0, 6], "cache_hit_pct": 95, "comment": "", "version": 1,
    }  # fmt: skip
    assert "Say why." in browse(sam).post(url, fields).content.decode()
    assert browse(sam).post(url, fields | {"reason": "Sundays, too"}).status_code == 302
    rule = ChecklistRule.objects.get()
    assert (rule.by, rule.days, rule.cache_hit_pct, rule.version) == (time(8), [0, 6], 95, 2)


# API


@pytest.mark.django_db
def test_the_api_says_the_same(bob: User, alice: User, charlie: User) -> None:
    assert caller(charlie).get(API).status_code == 403
    assert caller(bob).post(f"{API}/sign", {}).status_code == 403
    found = caller(bob).get(API).json()
    assert [line["key"] for line in found["lines"]] == [
        "health", "alerts", "cache_hit_rate", "ai_cost", "breakers", "kill_switch",
    ]  # fmt: skip
    assert (found["total"], found["signed"]) == (6, None)
    client = caller(alice)
    refused = client.post(f"{API}/sign", {"seen": found["seen"]})
    assert (refused.status_code, "comment" in refused.json()["error"]["details"]) == (400, True)
    assert client.post(f"{API}/sign", {"sign": 1}).status_code == 400
    changed = client.post(f"{API}/sign", {"seen": "x", "comment": "y"})
    assert (changed.status_code, changed.json()["error"]["details"]["seen"]) == (409, found["seen"])
    signed = client.post(f"{API}/sign", {"seen": found["seen"], "comment": "nothing runs yet"}).json()
    assert (signed["changed"], signed["day"]["signed_by"][:5]) == (True, "alice")
    assert caller(bob).get(API).json()["progress"] == "signed"
    days = caller(bob).get(f"{API}/days?limit=1").json()
    assert (len(days["results"]), days["next"]) == (1, None)
    assert caller(bob).get(f"{API}/days?cursor=x").status_code == 400
