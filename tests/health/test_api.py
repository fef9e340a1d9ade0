"""What the API says of health, to whom, and how it bounds what it does for anybody."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from killswitch.choices import Mode
from monitoring.health import asking, running
from monitoring.health.checks.base import Result
from monitoring.health.choices import Status
from monitoring.health.models import HealthComponent
from opsconsole.accounts.models import User
from tests.alert_rows import an_alert
from tests.breakers.reporting import Process, a_breaker
from tests.cast import caller
from tests.desk import Desk
from tests.health.looking import found

PATHS = ("health", "health/summary", "health/component/redis", "system/info", "system/status")
# The guide's, §6.4.
FIELDS = {"name", "status", "message", "response_time_ms", "last_check", "metadata"}


def healthy(*, but: str = "", status: str = "healthy") -> None:
    """All components are healthy now, but one."""
    now = timezone.now()
    for row in HealthComponent.objects.all():
        for seconds in (-1, 0):
            found(row, status if row.slug == but else "healthy", now=now + timedelta(seconds=seconds))


@pytest.mark.parametrize("path", PATHS)
def test_needs_an_account_with_a_role(charlie: User, path: str) -> None:
    assert caller(charlie).get(f"/monitoring/{path}").status_code == 403
    assert (
        caller(charlie).get(f"/monitoring/{path}", headers={"Authorization": "Bearer x"}).status_code == 401
    )


@pytest.mark.parametrize("path", PATHS)
def test_whoever_reads_gets_it(bob: User, trader: User, path: str) -> None:
    healthy()
    for user in (bob, trader):
        assert caller(user).get(f"/monitoring/{path}").status_code == 200


def test_health_as_in_the_guide(bob: User) -> None:
    healthy()
    answer = caller(bob).get("/monitoring/health")
    body = answer.json()
    assert set(body) == {"status", "timestamp", "components", "system_resources"}
    assert body["status"] == "healthy"
    assert [one["name"] for one in body["components"]][:5] == [
        "Redis",
        "Database",
        "Disk Space",
        "Memory",
        "CPU",
    ]
    assert set(body["components"][0]) >= FIELDS
    assert body["components"][0]["age_seconds"] < 60
    assert set(body["system_resources"]) == {"cpu_percent", "memory_percent", "disk_free_gb"}


@pytest.mark.parametrize(
    ("slug", "status", "whole", "code"),
    [
        ("redis", "unhealthy", "unhealthy", 503),
        ("redis", "degraded", "degraded", 200),
        ("redis", "unknown", "healthy", 200),
    ],
)
def test_the_whole_follows_from_its_parts(bob: User, slug: str, status: str, whole: str, code: int) -> None:
    healthy(but=slug, status=status)
    answer = caller(bob).get("/monitoring/health")
    assert (answer.status_code, answer.json()["status"]) == (code, whole)


def test_what_is_not_essential_degrades_at_most(bob: User) -> None:
    HealthComponent.objects.filter(slug="cpu").update(failures=1)
    healthy(but="cpu", status="unhealthy")
    answer = caller(bob).get("/monitoring/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


def test_old_results_are_never_green(bob: User) -> None:
    healthy()
    HealthComponent.objects.update(checked_at=timezone.now() - timedelta(seconds=31))
    answer = caller(bob).get("/monitoring/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "unknown"
    assert {one["status"] for one in answer.json()["components"]} == {"unknown"}
    assert re.match(r"Nobody has looked at it for \d+ s\. Last: ", answer.json()["components"][0]["message"])
    assert len(caller(bob).get("/monitoring/health/summary").json()["stale"]) == 11
    assert answer.json()["system_resources"]["cpu_percent"] is None


@pytest.mark.parametrize("name", ["disk-space", "Disk Space", "DISK SPACE", "Disk%20Space"])
def test_one_component_by_either_name(bob: User, name: str) -> None:
    healthy(but="disk-space", status="degraded")
    body = caller(bob).get(f"/monitoring/health/component/{name}").json()
    assert (body["name"], body["slug"], body["status"]) == ("Disk Space", "disk-space", "degraded")
    assert body["changes"][0]["after"] == "degraded"


def test_an_unknown_component_is_404_with_those_that_there_are(bob: User) -> None:
    answer = caller(bob).get("/monitoring/health/component/rediss")
    assert answer.status_code == 404
    details = answer.json()["error"]["details"]
    assert details["nearest"][0] == "redis"
    assert "disk-space" in details["known"]


def test_a_refresh_is_bounded(transactional_db: None, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    class Look:
        def __init__(self, row: HealthComponent) -> None:
            self._slug = row.slug

        def run(self, now: Any) -> Result:
            looked.append(self._slug)
            return Result(Status.HEALTHY, f"looked at {now:%Y}")

    monkeypatch.setattr(running, "check_of", Look)
    assert caller(bob).get("/monitoring/health?refresh=maybe").status_code == 400
    for _ in range(3):
        assert caller(bob).get("/monitoring/health?refresh=true").json()["status"] == "healthy"
    assert sorted(looked) == sorted(set(looked))
    assert len(looked) == 11
    # Who comes while others wait gets what is known.
    HealthComponent.objects.update(checked_at=timezone.now() - timedelta(seconds=20))
    monkeypatch.setattr(asking._asking, "acquire", lambda blocking: False)
    assert caller(bob).get("/monitoring/health?refresh=true").status_code == 200
    assert len(looked) == 11


# The system in one word


def status_of(user: User) -> Any:
    return caller(user).get("/monitoring/system/status").json()


def test_operational_says_nothing_more(bob: User) -> None:
    healthy()
    body = status_of(bob)
    assert (body["status"], body["why"], body["trading_allowed"]) == ("operational", [], True)


def test_degraded_by_anything_that_needs_somebody(bob: User, alice: User, trader: User) -> None:
    healthy()
    alert = an_alert(priority="HIGH")
    assert status_of(bob)["why"] == ["1 alert needs somebody"]
    assert status_of(bob)["status"] == "degraded"
    alert.delete()
    Desk(trader).stop(alice, scope="symbol:IBM")
    assert (status_of(bob)["status"], status_of(bob)["why"]) == ("degraded", ["Stopped: symbol:IBM"])
    assert status_of(bob)["trading_allowed"] is True


def test_degraded_by_open_breakers(bob: User) -> None:
    healthy()
    Process().report(a_breaker("yahoo_finance", "OPEN"), a_breaker("sec_edgar"), now=timezone.now())
    body = status_of(bob)
    assert (body["status"], body["open_breakers"]) == ("degraded", ["yahoo_finance"])
    assert "Open circuit breaker: yahoo_finance" in body["why"]


def test_down_when_something_essential_is(bob: User) -> None:
    healthy(but="database", status="unhealthy")
    body = status_of(bob)
    assert (body["status"], body["abnormal"]) == ("down", ["Database"])
    assert body["why"][0] == "Database is unhealthy: It is unhealthy"


@pytest.mark.parametrize("mode", [Mode.HALTED, Mode.REDUCE_ONLY])
def test_halted_before_all_else(bob: User, alice: User, trader: User, mode: Mode) -> None:
    healthy(but="database", status="unhealthy")
    Desk(trader).stop(alice, mode=mode)
    body = status_of(bob)
    assert (body["status"], body["trading_allowed"], body["mode"]) == ("halted", False, mode)
    assert len(body["why"]) >= 2


def test_info_names_versions_and_no_secrets(bob: User, settings: Any) -> None:
    settings.BUILD = "abc123"
    body = caller(bob).get("/monitoring/system/info").json()
    assert body["build"] == "abc123"
    assert body["database"]["kind"] == "PostgreSQL"
    assert settings.SECRET_KEY not in str(body)
    assert body["uptime_seconds"] > 0
