"""System information: may I go to lunch, what runs here, and what is missing."""

import re
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from alerts.choices import Priority
from monitoring.health import about
from monitoring.health.choices import Status
from monitoring.health.models import Pulse
from opsconsole.accounts.models import User
from opsconsole.live.feeds import parts_of
from tests.alert_rows import an_alert
from tests.breakers.reporting import Process, a_breaker
from tests.health.rows import looked_at
from tests.metrics.rows import partitions
from tests.pages.browse import Browse
from tests.pages.seen import text, words


@pytest.fixture
def now(db: None) -> datetime:
    """Everything was looked at, and is well."""
    partitions()
    moment = timezone.now()
    looked_at(now=moment)
    return moment


def test_system_information_answers_in_one_sentence(
    browse: Browse, bob: User, now: datetime, settings: Settings
) -> None:
    settings.EMBEDDED, settings.EMBEDDED_BROKER, settings.BUILD = True, False, "abc1234"
    client = browse(bob)
    page = text(client, "/health/-/system")
    assert "Operational" in words(page, "system-word", end="</span>")
    answer = words(page, "system-answer", end="</section>")
    assert (
        "Yes: nothing needs you. All components are healthy, no breaker is open, trading is allowed" in answer
    )
    assert "embedded, the console started it" in words(page, "server-database", end="</tr>")
    assert "configured, one of your own" in words(page, "server-broker", end="</tr>")
    assert "abc1234" in page
    looked_at("redis", Status.UNHEALTHY, now=now, message="Refused")
    looked_at("cpu", now=now, ago=400)
    page = text(client, "/health/-/system")
    assert "Down" in words(page, "system-word", end="</span>")
    assert "No. Redis is unhealthy: Refused, and 1 more thing." in words(
        page, "system-answer", end="</section>"
    )
    assert "CPU" in words(page, "stale-cpu", end="</li>")


def test_an_open_breaker_is_a_reason_to_stay(now: datetime) -> None:
    Process().report(a_breaker(state="OPEN"), now=now)
    assert about.answer().sentence == "No. Open circuit breaker: yahoo_finance."


def test_an_alert_that_can_wait_is_told(now: datetime) -> None:
    an_alert(priority=Priority.LOW, due_at=now + timedelta(hours=3))
    assert about.answer(now=now).sentence.startswith(
        "Yes, if 1 alert can wait: it is neither urgent nor overdue."
    )


def test_processes_that_nobody_has_heard_of_are_missing(browse: Browse, bob: User, now: datetime) -> None:
    Pulse.objects.create(name="beat", at=now, host="desk", pid=4711, started_at=now - timedelta(hours=2))
    Pulse.objects.create(
        name="worker:celery@desk", at=now - timedelta(minutes=2), host="desk", pid=4712, started_at=now
    )
    page = text(browse(bob), "/health/-/system")
    assert "beat desk 4711" in words(page, "running-desk-4711-beat", end="</tr>")
    assert "2 h 00 min" in words(page, "running-desk-4711-beat", end="</tr>")
    assert re.findall(r'id="missing-(\w+)"', page) == ["web", "worker"]


def test_its_parts_refresh_themselves(now: datetime) -> None:
    parts = {part.target: part for part in parts_of("health-system")}
    for target in ("system-answer", "system-running"):
        assert f'id="{target}"' in parts[target].render()
