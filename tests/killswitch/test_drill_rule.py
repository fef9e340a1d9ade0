"""When drills are due: the schedule, the reminders, and tuning it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from alerts.models import Submission
from killswitch import drills, services
from killswitch.choices import Every
from killswitch.drill_schedule import Schedule
from killswitch.models import Activation, DrillRule
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from opsconsole.audit.tuned import ChangedMeanwhile, Refused
from tests.cast import acting
from tests.killswitch.conftest import Connect

NEW_YORK = ZoneInfo("America/New_York")
# The console was installed then.
SINCE = datetime(2026, 10, 1, tzinfo=UTC)


def schedule(every: Every = Every.MONTH, *, days: int = 30) -> Schedule:
    return Schedule(every, day=15, days=days, at=time(10), zone=NEW_YORK)


@pytest.mark.parametrize(
    ("ran", "due"),
    [
        (datetime(2026, 11, 2, 12, tzinfo=UTC), date(2026, 12, 15)),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), date(2027, 1, 15)),
        # Still October in New York.
        (datetime(2026, 11, 1, 3, tzinfo=UTC), date(2026, 11, 15)),
    ],
)
def test_one_drill_does_for_its_calendar_month(ran: datetime, due: date) -> None:
    assert schedule().after(ran) == datetime.combine(due, time(10), tzinfo=NEW_YORK)


def test_days_are_counted_from_the_last_one_and_the_hour_stays_when_clocks_change() -> None:
    found = schedule(Every.DAYS, days=2).after(datetime(2026, 10, 31, 15, tzinfo=UTC))
    assert found.astimezone(UTC) == datetime(2026, 11, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "due"),
    [
        (datetime(2026, 11, 14, tzinfo=UTC), date(2026, 11, 15)),
        (datetime(2026, 11, 16, tzinfo=UTC), date(2026, 12, 15)),
    ],
)
def test_none_was_missed_before_there_was_a_console(since: datetime, due: date) -> None:
    assert schedule().first(since).date() == due


@pytest.fixture
def rule(db: None) -> DrillRule:
    DrillRule.objects.update(since=SINCE)
    return DrillRule.objects.get()


def prove(user: User, trader: User, connect: Connect, *, at: datetime) -> Activation:
    client = connect()
    episode = services.activate(
        actor=acting(user), reason="MANUAL", message="", drill=True, now=at
    ).activation
    services.acknowledge(
        actor=acting(trader),
        name=client.name,
        instance=client.instance,
        epoch=episode.epoch,
        activations=[episode.pk],
        now=at,
    )
    Activation.objects.filter(pk=episode.pk).update(activated_at=at)
    episode.refresh_from_db()
    return episode


def told() -> list[tuple[str, str, bool]]:
    return [
        (row.alert["title"], row.alert["priority"], row.alert["resolved"])
        for row in Submission.objects.order_by("pk")
        if "drill" in row.alert["labels"]
    ]


def test_reminds_before_it_is_due_and_when_it_is_until_one_is_proven(
    rule: DrillRule, alice: User, trader: User, connect: Connect
) -> None:
    assert not services.remind(now=datetime(2026, 10, 12, 9, tzinfo=UTC))
    assert services.remind(now=datetime(2026, 10, 12, 11, tzinfo=UTC))
    assert not services.remind(now=datetime(2026, 10, 13, 11, tzinfo=UTC))
    assert told() == [("Stop drill is due soon", "LOW", False)]
    assert services.remind(now=datetime(2026, 10, 15, 10, tzinfo=UTC))
    assert told()[1:] == [("Stop drill is due soon", "LOW", True), ("Stop drill is overdue", "MEDIUM", False)]
    prove(alice, trader, connect, at=datetime(2026, 10, 20, tzinfo=UTC))
    assert told()[3:] == [("Stop drill is overdue", "MEDIUM", True)]
    due = drills.due(now=datetime(2026, 10, 21, tzinfo=UTC))
    assert (due.due, due.wanted) == (datetime(2026, 11, 15, 10, tzinfo=UTC), False)


def test_a_drill_without_any_process_proves_nothing(rule: DrillRule, alice: User) -> None:
    services.activate(actor=acting(alice), reason="MANUAL", message="", drill=True)
    assert Activation.objects.get().stopped_at is not None
    assert drills.due(now=SINCE).last is None


def test_the_rule_is_tuned_with_before_and_after(rule: DrillRule, sam: User) -> None:
    with pytest.raises(Refused, match="day: must be a whole number from 1 to 28; zone: must be empty or"):
        services.change_drill_rule(actor=acting(sam), values={"day": 31, "zone": "Mars"}, reason="x")
    with pytest.raises(Refused, match="told: is not a field here"):
        services.change_drill_rule(actor=acting(sam), values={"told": ""}, reason="x")
    with pytest.raises(ChangedMeanwhile, match="version 1"):
        services.change_drill_rule(actor=acting(sam), values={"day": 3}, reason="x", version=7)
    changed, did = services.change_drill_rule(
        actor=acting(sam), values={"day": 3}, reason="earlier", version=1
    )
    assert (did, changed.version, changed.updated_by) == (True, 2, "sam")
    assert not services.change_drill_rule(actor=acting(sam), values={"day": 3}, reason="again")[1]
    event = AuditEvent.objects.get(action="killswitch.drill_rule_changed")
    assert event.before is not None
    assert event.after is not None
    assert (event.before["day"], event.after["day"], event.reason) == (15, 3, "earlier")


def test_switching_it_off_takes_the_reminder_back(rule: DrillRule, sam: User) -> None:
    now = SINCE + timedelta(days=30)
    services.remind(now=now)
    services.change_drill_rule(actor=acting(sam), values={"enabled": False}, reason="closed", now=now)
    assert told() == [("Stop drill is overdue", "MEDIUM", False), ("Stop drill is overdue", "MEDIUM", True)]
    assert drills.due(now=now).due is None


def test_the_admin_tunes_it_through_the_service(rule: DrillRule, sam: User, alice: User) -> None:
    url = "/admin/killswitch/drillrule/1/change/"
    fields = {
        "enabled": "on",
        "every": "days",
        "day": 15,
        "days": 14,
        "at": "08:00",
        "zone": "",
        "remind_days": 2,
        "comment": "",
        "version": 1,
    }
    User.objects.filter(pk__in=[sam.pk, alice.pk]).update(is_staff=True)
    client = Client()
    client.force_login(alice, backend="opsconsole.accounts.backends.PeopleBackend")
    assert client.post(url, fields).status_code == 403
    client.force_login(sam, backend="opsconsole.accounts.backends.PeopleBackend")
    assert "Say why." in client.post(url, fields).content.decode()
    assert client.post(url, fields | {"reason": "every fortnight"}).status_code == 302
    rule.refresh_from_db()
    assert (rule.every, rule.days, rule.at, rule.version) == ("days", 14, time(8), 2)
