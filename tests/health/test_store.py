"""What a result changes: status, history, days, trail, alerts."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from pytest_django import Settings

from alerts.models import Submission
from killswitch.models import TradingClient
from monitoring.health import targets
from monitoring.health.building import check_of
from monitoring.health.checks.base import Result
from monitoring.health.choices import Status
from monitoring.health.models import HealthChange, HealthComponent, HealthDay
from monitoring.health.storing import Outcome, note_outage, store
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.audit.sealing import sealed, tamper
from tests.desk import Desk
from tests.health.looking import NOW, at, component, found, submitted

pytestmark = pytest.mark.django_db


def test_a_result_of_a_claim_that_is_lost_changes_nothing() -> None:
    row = component()
    found(row, "healthy", now=NOW)
    late = Result(Status.UNHEALTHY, "too late")
    assert store(outcomes=[Outcome(row.pk, uuid4(), late, "a")], now=at(1)) == []
    row.refresh_from_db()
    assert (row.status, row.result, row.checked_at) == ("healthy", "healthy", NOW)


def test_a_single_lost_check_is_told_to_nobody_and_looked_at_sooner() -> None:
    row = component()
    found(row, "healthy", now=NOW)
    HealthComponent.objects.update(due_at=at(20))
    row.refresh_from_db()
    assert found(row, "unhealthy", now=at(10)) == []
    assert (row.status, row.result, row.message) == ("healthy", "unhealthy", "It is unhealthy")
    assert row.due_at == at(15)
    found(row, "healthy", now=at(15))
    assert submitted() == []
    assert HealthChange.objects.count() == 1


def test_a_change_is_in_history_trail_and_alerts() -> None:
    row = component()
    for seconds, status in ((0, "healthy"), (10, "unhealthy"), (15, "unhealthy")):
        changes = found(row, status, now=at(seconds), message="Redis does not answer")
    assert [(change.before, change.after, change.lasted_seconds) for change in changes] == [
        ("healthy", "unhealthy", 15.0)
    ]
    assert (row.status, row.since, row.told) == ("unhealthy", at(15), "unhealthy")
    event = AuditEvent.objects.filter(action="health.changed").latest("pk")
    assert (event.actor_name, event.object_label, event.reason) == (
        "health",
        "Redis",
        "Redis does not answer",
    )
    assert (event.before, event.after) == ({"status": "healthy"}, {"status": "unhealthy"})
    assert submitted() == [("Redis is unhealthy", "CRITICAL", False)]
    assert Submission.objects.get().alert["force"] is True
    # It is told once, and its end.
    found(row, "unhealthy", now=at(20))
    for seconds in (30, 35):
        found(row, "healthy", now=at(seconds))
    assert submitted()[1:] == [("Redis is unhealthy", "CRITICAL", True)]
    assert row.told == ""


@pytest.mark.parametrize(("status", "told"), [("healthy", 0), ("unhealthy", 1)])
def test_what_is_well_from_the_beginning_is_no_event(status: str, told: int) -> None:
    row = component()
    found(row, status, now=at(0))
    found(row, status, now=at(5))
    assert AuditEvent.objects.filter(action="health.changed").count() == told
    assert HealthChange.objects.count() == 1


def test_degraded_is_a_lesser_alert_and_gives_way_to_the_greater() -> None:
    row = component("memory")
    for seconds, status in enumerate(("degraded", "degraded", "unhealthy", "unhealthy")):
        found(row, status, now=at(seconds))
    assert submitted() == [
        ("Memory is degraded", "MEDIUM", False),
        ("Memory is degraded", "MEDIUM", True),
        ("Memory is unhealthy", "HIGH", False),
    ]


def test_a_seal_that_was_tampered_with_is_told() -> None:
    sealed(2)
    tamper("UPDATE audit_auditseal SET root = sha256('x')")
    row = component("audit-sealing")
    for seconds in (0, 10):
        result = check_of(row).run(at(seconds))
        found(row, result.status, now=at(seconds), message=result.message)
    assert submitted() == [("Audit Sealing is unhealthy", "HIGH", False)]
    assert "its root is not that of its frontier" in Submission.objects.get().alert["message"]


def test_what_follows_from_redis_is_told_only_if_it_outlasts_it() -> None:
    redis, worker = component(), component("celery-worker")
    found(redis, "unhealthy", now=at(0))
    for seconds in (1, 2):
        found(worker, "unhealthy", now=at(seconds))
    assert (worker.status, worker.told) == ("unhealthy", "")
    assert submitted() == []
    found(redis, "healthy", now=at(3))
    found(worker, "unhealthy", now=at(4))
    assert submitted() == [("Celery Worker is unhealthy", "CRITICAL", False)]


def test_what_nobody_looked_at_was_unknown_and_the_history_says_so() -> None:
    row = component()
    found(row, "healthy", now=at(0))
    assert row.status_at(at(30)) == Status.HEALTHY
    assert row.status_at(at(30.1)) == Status.UNKNOWN
    changes = found(row, "healthy", now=at(100))
    assert [(change.at, change.before, change.after) for change in changes] == [
        (at(30), "healthy", "unknown"),
        (at(100), "unknown", "healthy"),
    ]
    day = HealthDay.objects.get(component=row)
    assert (day.healthy, day.unknown, day.unhealthy) == (30.0, 70.0, 0.0)


def test_a_day_ends_at_midnight_of_the_desks_zone(settings: Settings) -> None:
    settings.TIME_ZONE = "America/New_York"
    row = component(interval_seconds=3600)
    found(row, "healthy", now=datetime(2026, 3, 5, 4, 59, 50, tzinfo=UTC))
    found(row, "healthy", now=datetime(2026, 3, 5, 5, 0, 30, tzinfo=UTC))
    days = HealthDay.objects.filter(component=row).order_by("day").values_list("day", "healthy")
    assert list(days) == [(date(2026, 3, 4), 10.0), (date(2026, 3, 5), 30.0)]


def test_a_process_that_is_gone_is_the_kill_switchs_incident(trader: User) -> None:
    desk = Desk(trader)
    desk.connect("AAPL")
    targets.follow(now=desk.processes["AAPL"].last_seen)
    row = HealthComponent.objects.get(slug="client-aapl")
    assert (row.name, row.settings, row.essential) == ("Client AAPL", {"client": "AAPL"}, False)
    for seconds in (1, 2):
        found(row, "unhealthy", now=at(seconds))
    for seconds in (3, 4):
        found(row, "healthy", now=at(seconds))
    told = [
        (one.alert["source"], one.alert["title"], one.alert["resolved"])
        for one in Submission.objects.order_by("pk")
    ]
    assert told == [("killswitch", "No contact: AAPL", False), ("killswitch", "No contact: AAPL", True)]
    # A day after it went, there is nothing to look at any more; when it is back, there is.
    TradingClient.objects.update(last_seen=at(-90_000))
    targets.follow(now=NOW)
    row.refresh_from_db()
    assert row.retired_at == NOW
    TradingClient.objects.update(last_seen=NOW)
    targets.follow(now=at(1))
    row.refresh_from_db()
    assert row.retired_at is None
    assert HealthComponent.objects.filter(kind="client").count() == 1


def test_an_outage_of_the_database_is_noted_when_it_is_over() -> None:
    row = component("database")
    found(row, "healthy", now=at(0))
    # Too short, or somebody else has looked meanwhile.
    assert not note_outage(seconds=19, now=at(20))
    assert not note_outage(seconds=25, now=at(20))
    assert note_outage(seconds=60, now=at(65))
    # Others come later with the same.
    assert not note_outage(seconds=62, now=at(67))
    row.refresh_from_db()
    assert (row.status, row.since, row.message) == ("unhealthy", at(5), "It did not answer for 60 s")
    assert submitted() == [("Database is unhealthy", "CRITICAL", False)]
    day = HealthDay.objects.get(component=row)
    assert (day.healthy, day.unhealthy, day.unknown) == (5.0, 60.0, 0.0)
    for seconds in (66, 71):
        found(row, "healthy", now=at(seconds))
    assert (row.status, row.told) == ("healthy", "")
