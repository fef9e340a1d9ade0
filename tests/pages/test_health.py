"""The pages of health: who may see them, what is abnormal first, one component with its past and thresholds, a look on demand."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from alerts.choices import Category, Priority
from alerts.fingerprint import identity
from monitoring.health import about, asking, board, selectors
from monitoring.health.alarms import key_of
from monitoring.health.board import Row
from monitoring.health.choices import Kind, Status
from monitoring.health.models import HealthComponent, Pulse
from opsconsole.accounts.models import User
from opsconsole.live.feeds import parts_of
from tests.alert_rows import an_alert
from tests.breakers.reporting import Process, a_breaker
from tests.health.rows import a_client, a_day, a_target, answered, changed, looked_at
from tests.metrics.rows import partitions
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

READ = ("/health", "/health/redis", "/health/-/system", "/health/-/find?q=redis")
WRITE = ("/health/-/check", "/health/memory/check")


@pytest.fixture
def now(db: None) -> datetime:
    """Everything was looked at, and is well."""
    partitions()
    moment = timezone.now()
    looked_at(now=moment)
    return moment


def text(client: Client, address: str, **extra: Any) -> str:
    response = client.get(address, **extra)
    assert response.status_code == 200
    return str(response.content.decode())


def words(page: str, part: str, *, end: str = "</div>") -> str:
    """What one part of the page says."""
    found = page.split(f'id="{part}"')[1].split(end, maxsplit=1)[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.partition(">")[2])).strip()


def order(page: str) -> list[str]:
    return re.findall(r'<tr id="component-([a-z0-9-]+)"', page)


# Refusals


@pytest.mark.parametrize("address", READ)
def test_asks_to_sign_in_and_refuses_who_has_no_role(browse: Browse, charlie: User, address: str) -> None:
    assert Client().get(address).status_code == 302
    refused = browse(charlie).get(address)
    assert refused.status_code == 403
    assert "Reading health needs a viewer" in refused.content.decode()


@pytest.mark.parametrize("address", WRITE)
def test_a_look_is_asked_for_by_a_post_of_who_may_read(browse: Browse, charlie: User, address: str) -> None:
    assert Client().post(address).status_code == 302
    assert browse(charlie).post(address).status_code == 403
    assert browse(charlie).get(address).status_code == 405


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("status=ill", "status: one of abnormal, unhealthy, degraded, unknown, healthy."),
        ("what=all", "what: one of console, clients, targets."),
        ("after=9-1-x", "after: a page of this list."),
        (f"q={'x' * 101}", "Search for 100 characters or less."),
    ],
)
def test_a_filter_that_is_none_is_named(
    browse: Browse, bob: User, now: datetime, query: str, said: str
) -> None:
    answer = browse(bob).get(f"/health?{query}")
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert "Nothing was looked for" in answer.content.decode()


@pytest.mark.parametrize("query", ["to=ill", "before=0", "before=soon"])
def test_a_filter_of_the_changes_that_is_none_is_refused(
    browse: Browse, bob: User, now: datetime, query: str
) -> None:
    assert browse(bob).get(f"/health/redis?{query}").status_code == 422


def test_an_unknown_component_is_404_with_names_like_it(browse: Browse, bob: User, now: datetime) -> None:
    for answer in (browse(bob).get("/health/redos"), browse(bob).post("/health/redos/check")):
        assert answer.status_code == 404
        assert '<a href="/health/redis"><bdi>Redis</bdi></a>' in answer.content.decode()


# The list


def test_says_how_many_are_abnormal_and_shows_them_first(browse: Browse, bob: User, now: datetime) -> None:
    client = browse(bob)
    assert words(text(client, "/health"), "health-answer", end="</p>") == "All 10 healthy"
    looked_at("outbox", Status.DEGRADED, now=now)
    looked_at("beat", Status.UNHEALTHY, now=now)
    looked_at("cpu", now=now, ago=400)
    HealthComponent.objects.filter(slug="memory").update(enabled=False)
    page = text(client, "/health")
    assert (
        words(page, "health-answer", end="</p>")
        == "Unhealthy: 3 of 10 abnormal (1 unhealthy, 1 degraded, 1 unknown)"
    )
    assert order(page)[:5] == ["beat", "outbox", "cpu", "memory", "redis"]
    assert "Nobody has looked at it for 400 s. Last: It answers" in words(page, "component-cpu", end="</tr>")
    assert "Not looked at: switched off" in words(page, "component-memory", end="</tr>")
    assert "6 others : Healthy, 1 not looked at" in words(page, "health-list", end="Show")


def test_what_is_not_essential_makes_the_whole_degraded_at_most(now: datetime) -> None:
    a_client("IBM")
    looked_at("client-ibm", Status.UNHEALTHY, now=now)
    assert board.tally(now=now).status == selectors.board(now=now).status == Status.DEGRADED


def test_the_database_ranks_as_the_rows_do(now: datetime) -> None:
    for number, status in enumerate(Status):
        for ago in (1, 29, 31):
            slug = f"target-{number}-{ago}"
            a_target(slug)
            looked_at(slug, status, now=now, ago=ago)
    a_target("never", due_at=now)
    a_target("missed", due_at=now - timedelta(minutes=2))
    a_target("off", enabled=False)
    rows = board.listed(now=now, limit=100).rows
    expected = sorted(rows, key=lambda row: row.rank)
    assert [row.component.row.slug for row in rows] == [row.component.row.slug for row in expected]
    found = selectors.board(now=now)
    tally = board.tally(now=now)
    assert (tally.unhealthy + tally.degraded, tally.silent) == (len(found.abnormal), len(found.stale))
    assert tally.status == found.status


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status=abnormal", ["redis", "cpu"]),
        ("status=unhealthy", ["redis"]),
        ("status=unknown", ["cpu"]),
        ("what=clients", ["client-ibm"]),
        ("what=targets", ["venue"]),
        ("q=WORKER", ["celery-worker", "urgent-worker"]),
    ],
)
def test_filters(browse: Browse, bob: User, now: datetime, query: str, shown: list[str]) -> None:
    a_client("IBM")
    a_target("Venue")
    looked_at(now=now)
    looked_at("redis", Status.UNHEALTHY, now=now)
    looked_at("cpu", now=now, ago=400)
    assert order(text(browse(bob), f"/health?{query}")) == shown


def test_pages_by_key_in_a_bounded_number_of_queries(browse: Browse, bob: User, now: datetime) -> None:
    for number in range(120):
        a_client(f"T-{number:03d}")
    looked_at(now=now)
    looked_at("client-t-117", Status.DEGRADED, now=now)
    client, seen, query = browse(bob), [], ""
    while True:
        with most_queries(16):
            page = text(client, f"/health?{query}")
        seen += order(page)
        if (following := re.search(r'href="\?([^"]+)" rel="next"', page)) is None:
            break
        query = following.group(1).replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 130
    assert seen[0] == "client-t-117"
    assert "First page" in page


def test_a_year_of_trouble_keeps_the_page_small(browse: Browse, bob: User, now: datetime) -> None:
    for number in range(40):
        target = a_target(f"T {number}")
        for ago in range(0, 90, 9):
            a_day(target.slug, ago=ago, now=now, unhealthy=60.0 + ago)
    looked_at(now=now)
    answer = browse(bob).get("/health", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.content) < 40_000


def test_a_page_asks_for_its_own_parts(browse: Browse, bob: User, now: datetime) -> None:
    found = text(browse(bob), "/health", headers={"HX-Request": "true"})
    assert re.findall(r'hx-target="#([a-z-]+)"', found) == ["health-head", "health-list"]
    assert "<html" not in found


# One component


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


# What runs here


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


# Beside the other pages


def test_navigation_counts_what_is_abnormal(browse: Browse, bob: User, now: datetime) -> None:
    client = browse(bob)
    assert words(text(client, "/audit"), "nav-health", end="</a>") == ""
    looked_at("redis", Status.UNHEALTHY, now=now)
    page = text(client, "/audit")
    for target in ("nav-health", "tab-health", "more-health"):
        assert words(page, target, end="abnormal").startswith("1")
        (part,) = (part for part in parts_of("audit") if part.target == target)
        assert f'id="{target}"' in part.render()
    assert 'aria-keyshortcuts="g h"' in page


def test_the_overview_shows_what_is_abnormal_and_counts_the_rest(
    browse: Browse, bob: User, charlie: User, now: datetime
) -> None:
    assert 'id="broken"' not in text(browse(charlie), "/")
    for slug in ("redis", "database", "memory", "cpu", "beat", "outbox"):
        looked_at(slug, Status.UNHEALTHY, now=now)
    card = words(text(browse(bob), "/"), "broken", end="</section>")
    assert "6 of 10 abnormal" in card
    assert card.count("Look at") == board.GLANCE_ROWS
    assert "1 more abnormal. 4 other components : Healthy." in card


def test_the_pulse_differs_when_a_status_does(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.health.parts.time.time", lambda: 1000.0)
    monkeypatch.setattr("opsconsole.live.shared.SHARED", 0)
    (part,) = (part for part in parts_of("health") if part.target == "health-pulse")
    before = part.render()
    assert part.render() == before
    looked_at("redis", Status.UNHEALTHY, now=now)
    assert part.render() != before


def test_the_palette_finds_a_component(browse: Browse, bob: User, now: datetime) -> None:
    client = browse(bob)
    assert client.get("/health/-/find?q=disk").headers["Location"] == "/health/disk-space"
    assert client.get("/health/-/find?q=worker").headers["Location"] == "/health?q=worker"
    assert client.get("/health/-/find?q=").headers["Location"] == "/health?q="


@pytest.mark.parametrize("slug", ["redis", "client-ibm"])
def test_a_row_without_any_past_is_shown(browse: Browse, bob: User, db: None, slug: str) -> None:
    a_client("IBM")
    page = text(browse(bob), f"/health/{slug}")
    assert "Not looked at yet" in page
    assert Row(selectors.one(HealthComponent.objects.get(slug=slug), now=timezone.now())).since is None
