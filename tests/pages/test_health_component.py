"""One component: its past, its response times, its thresholds and where they come from, its alert, and a look on demand."""

import re
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from alerts.choices import Category
from alerts.fingerprint import identity
from monitoring.health import asking, selectors
from monitoring.health.alarms import key_of
from monitoring.health.board import Row
from monitoring.health.choices import Kind, Status
from monitoring.health.models import HealthComponent
from opsconsole.accounts.models import User
from tests.alert_rows import an_alert
from tests.health.rows import a_client, a_day, a_target, answered, changed, looked_at
from tests.metrics.rows import partitions
from tests.pages.browse import Browse
from tests.pages.queries import most_queries
from tests.pages.seen import text, words


@pytest.fixture
def now(db: None) -> datetime:
    """Everything was looked at, and is well."""
    partitions()
    moment = timezone.now()
    looked_at(now=moment)
    return moment


def test_shows_status_age_response_and_days(browse: Browse, bob: User, now: datetime) -> None:
    looked_at("redis", Status.DEGRADED, now=now, response_ms=1412.0)
    a_day("redis", ago=0, now=now, unhealthy=86.4)
    a_day("redis", ago=1, now=now)
    page = text(browse(bob), "/health/redis")
    head = words(page, "component-head", end="</dl>")
    assert "Degraded" in head
    assert "It took 1,412 ms . So since" in head
    assert "Response 1.41 s" in head
    assert "Healthy, 90 days 99.95%" in head
    today = timezone.localtime(now)
    assert f"<title>{today.day} {today:%b}: unhealthy 0.1%, healthy 99.9%</title>" in page
    assert (
        "Last 90 days by their worst status: 1 day unhealthy, 1 day healthy, 88 days without a check" in page
    )
    assert "1 min" in words(page, "days-table", end="</table>")


def test_the_newest_result_in_doubt_is_told(browse: Browse, bob: User, now: datetime) -> None:
    looked_at("redis", now=now, result=Status.UNHEALTHY, failures=3)
    assert "found it unhealthy; 3 in a row make it so." in words(
        text(browse(bob), "/health/redis"), "component-head"
    )


def test_response_times_are_drawn_with_the_limit_if_it_is_near(
    browse: Browse, bob: User, now: datetime
) -> None:
    answered("redis", 40.0, 60.0, now=now)
    assert "Degraded from 100 ms" in words(
        text(browse(bob), "/health/redis"), "component-response", end="</section>"
    )
    HealthComponent.objects.filter(slug="redis").update(settings={"degraded_ms": 5000.0})
    page = text(browse(bob), "/health/redis")
    assert "by five minutes, degraded from 5.00 s" in words(page, "component-response", end="</section>")
    assert 'class="limit"' not in page
    assert "Response time of the last day: highest 60\u00a0ms" in text(browse(bob), "/health?q=redis")


def test_thresholds_say_where_they_come_from_and_who_may_tune(
    browse: Browse, bob: User, sam: User, now: datetime
) -> None:
    HealthComponent.objects.filter(slug="redis").update(settings={"degraded_ms": 50.0}, failures=5)
    page = text(browse(bob), "/health/redis")
    side = words(page, "component-side", end="</aside>")
    assert "Degraded from so many milliseconds on 50 ms tuned; usually 100 ms" in side
    assert "Gets worse after 5 in a row tuned; usually after 2" in side
    assert "Tuning needs a supervisor: sam." in side
    assert "component-tune" not in page
    pk = HealthComponent.objects.get(slug="redis").pk
    assert f'href="/admin/monitoring/healthcomponent/{pk}/change/"' in text(browse(sam), "/health/redis")


def test_an_address_is_never_shown_whole(browse: Browse, sam: User, now: datetime) -> None:
    a_target("Venue", kind=Kind.HTTP, settings={"url": "https://venue.example.com:8443/health?key=s3cret"})
    page = text(browse(sam), "/health/venue")
    assert "https://venue.example.com:8443/…" in page
    assert "s3cret" not in page


def test_what_was_found_is_a_table_and_is_escaped(browse: Browse, bob: User, now: datetime) -> None:
    looked_at(
        "disk-space",
        now=now,
        message="<b>full</b>",
        metadata={
            "used_pct": 87.2,
            "free_gb": 61.4,
            "pid": 12345,
            "mounts": [{"path": "/<i>", "used_pct": 5.0, "inodes_pct": None}],
            "expires_at": "2026-01-02T03:04:05+00:00",
        },
    )
    page = text(browse(bob), "/health/disk-space")
    side = words(page, "component-side", end="</aside>")
    assert "Used 87.2%" in side
    assert "Free 61.4 GB" in side
    assert "Pid 12345" in side
    assert "Mount path /&lt;i&gt;, used 5%" in side
    assert 'datetime="2026-01-02T03:04:05+00:00"' in page
    assert "&lt;b&gt;full&lt;/b&gt;" in page


def test_changes_are_filtered_and_paged_by_key(browse: Browse, bob: User, now: datetime) -> None:
    for number in range(30):
        status = Status.UNHEALTHY if number % 2 else Status.HEALTHY
        changed(
            "redis", Status.DEGRADED, status, at=now - timedelta(minutes=30 - number), message=f"n{number}"
        )
    changed("cpu", Status.HEALTHY, Status.UNHEALTHY, at=now)
    client = browse(bob)
    page = text(client, "/health/redis")
    ids = re.findall(r'<tr id="change-(\d+)"', page)
    assert len(ids) == 25
    older = text(client, f"/health/redis?before={ids[-1]}")
    assert len(re.findall(r'<tr id="change-\d+"', older)) == 5
    assert 'rel="next"' not in older
    assert len(re.findall(r'<tr id="change-\d+"', text(client, "/health/redis?to=unhealthy"))) == 15
    assert len(re.findall(r'<tr id="change-\d+"', text(client, "/health/redis?q=n29"))) == 1
    assert "No change of status matches." in text(client, "/health/redis?to=unknown")


def test_links_the_alert_that_it_raised_and_back(browse: Browse, bob: User, now: datetime) -> None:
    client = browse(bob)
    assert "It has raised none yet." in text(client, "/health/redis")
    fingerprint = identity(Category.SYSTEM_ERROR, "", {}, dedupe_key=key_of("redis", "unhealthy"))
    alert = an_alert(
        title="Redis is unhealthy", source="health", labels={"component": "redis"}, fingerprint=fingerprint
    )
    assert f'href="/alerts/{alert.pk}"' in text(client, "/health/redis")
    assert 'id="alert-component-open" href="/health/redis"' in text(client, f"/alerts/{alert.pk}")


def test_an_alert_about_a_trading_process_links_to_it(browse: Browse, bob: User, now: datetime) -> None:
    a_client("IBM")
    alert = an_alert(title="No contact: IBM", source="killswitch", labels={"client": "IBM"})
    client = browse(bob)
    assert 'href="/health/client-ibm"' in text(client, f"/alerts/{alert.pk}")
    assert f'href="/alerts/{alert.pk}"' in text(client, "/health/client-ibm")


def test_one_component_takes_a_bounded_number_of_queries(browse: Browse, bob: User, now: datetime) -> None:
    answered("redis", 1.0, now=now)
    for ago in range(90):
        a_day("redis", ago=ago, now=now, degraded=5.0)
        changed("redis", Status.HEALTHY, Status.DEGRADED, at=now - timedelta(days=ago))
    client = browse(bob)
    with most_queries(22):
        page = text(client, "/health/redis")
    assert "The newest 30 of 90." in page


# A look on demand


def test_check_now_looks_and_says_what_was_found(browse: Browse, bob: User, now: datetime) -> None:
    looked_at("memory", now=now, ago=60, ran_on="")
    client = browse(bob)
    answer = client.post("/health/memory/check")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/health/memory")
    row = HealthComponent.objects.get(slug="memory")
    assert row.checked_at is not None
    assert row.checked_at > now
    assert "Looked at it now: healthy. Memory usage normal" in text(client, "/health/memory")
    assert HealthComponent.objects.get(slug="disk-space").checked_at == now - timedelta(seconds=3)


def test_what_was_looked_at_just_now_is_left(browse: Browse, bob: User, now: datetime) -> None:
    client = browse(bob)
    client.post("/health/memory/check", {"next": "/health?q=memory"})
    assert "within 5 s" in text(client, "/health?q=memory")
    assert HealthComponent.objects.get(slug="memory").checked_at == now - timedelta(seconds=3)


def test_another_host_is_asked_to_look_at_what_is_its_own(browse: Browse, bob: User, now: datetime) -> None:
    looked_at("memory", now=now, ago=20, ran_on="elsewhere")
    client = browse(bob)
    client.post("/health/memory/check")
    assert "looked at on elsewhere alone, which was asked to look now" in text(client, "/health/memory")
    assert HealthComponent.objects.get(slug="memory").due_at <= timezone.now()


def test_what_is_switched_off_is_not_looked_at(browse: Browse, bob: User, now: datetime) -> None:
    HealthComponent.objects.filter(slug="memory").update(enabled=False, checked_at=None)
    client = browse(bob)
    client.post("/health/memory/check")
    assert "Memory was not looked at: it is switched off." in text(client, "/health/memory")
    assert HealthComponent.objects.get(slug="memory").checked_at is None


def test_only_few_may_wait_for_looks(
    browse: Browse, bob: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at(now=now, ago=60)
    assert [asking._asking.acquire(blocking=False) for _ in range(asking.AT_ONCE)] == [True, True]
    try:
        client = browse(bob)
        client.post("/health/-/check")
        assert "Others are asking for a look right now" in text(client, "/health")
    finally:
        for _ in range(asking.AT_ONCE):
            asking._asking.release()
    assert HealthComponent.objects.get(slug="memory").checked_at == now - timedelta(seconds=60)


@pytest.mark.parametrize("slug", ["redis", "client-ibm"])
def test_a_row_without_any_past_is_shown(browse: Browse, bob: User, db: None, slug: str) -> None:
    a_client("IBM")
    HealthComponent.objects.update(due_at=timezone.now())
    page = text(browse(bob), f"/health/{slug}")
    assert "Not looked at yet" in page
    assert Row(selectors.one(HealthComponent.objects.get(slug=slug), now=timezone.now())).since is None
