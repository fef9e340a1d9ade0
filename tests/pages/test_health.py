"""Health: who may see it, what is abnormal first, and how the other pages count and show it."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.health import board, selectors
from monitoring.health.choices import Status
from monitoring.health.models import HealthComponent
from opsconsole.accounts.models import User
from opsconsole.live.feeds import parts_of
from tests.breakers.reporting import Process, a_breaker
from tests.health.rows import a_client, a_day, a_target, looked_at
from tests.metrics.rows import partitions
from tests.pages.browse import Browse
from tests.pages.queries import most_queries
from tests.pages.seen import text, words

READ = ("/health", "/health/redis", "/health/-/system", "/health/-/find?q=redis")
WRITE = ("/health/-/check", "/health/memory/check")


@pytest.fixture
def now(db: None) -> datetime:
    """Everything was looked at, and is well."""
    partitions()
    moment = timezone.now()
    looked_at(now=moment)
    return moment


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
    assert words(text(client, "/health"), "health-answer", end="</p>") == "All 11 healthy"
    looked_at("outbox", Status.DEGRADED, now=now)
    looked_at("beat", Status.UNHEALTHY, now=now)
    looked_at("cpu", now=now, ago=400)
    HealthComponent.objects.filter(slug="memory").update(enabled=False)
    page = text(client, "/health")
    assert (
        words(page, "health-answer", end="</p>")
        == "Unhealthy: 3 of 11 abnormal (1 unhealthy, 1 degraded, 1 unknown)"
    )
    assert order(page)[:5] == ["beat", "outbox", "cpu", "memory", "redis"]
    assert re.search(
        r"Nobody has looked at it for \d+ s\. Last: It answers", words(page, "component-cpu", end="</tr>")
    )
    assert "Not looked at: switched off" in words(page, "component-memory", end="</tr>")
    assert "7 others : Healthy, 1 not looked at" in words(page, "health-list", end="Show")


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
        with most_queries(18):
            page = text(client, f"/health?{query}")
        seen += order(page)
        if (following := re.search(r'href="\?([^"]+)" rel="next"', page)) is None:
            break
        query = following.group(1).replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 131
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


# Beside the other pages


def test_navigation_counts_what_is_abnormal(browse: Browse, bob: User, now: datetime) -> None:
    client = browse(bob)
    assert words(text(client, "/audit"), "nav-health", end="</a>") == ""
    looked_at("redis", Status.UNHEALTHY, now=now)
    page = text(client, "/audit")
    for target in ("nav-health", "tab-health"):
        assert words(page, target, end="abnormal").startswith("1")
        (part,) = (part for part in parts_of("audit") if part.target == target)
        assert f'id="{target}"' in part.render()
    assert 'aria-keyshortcuts="g h"' in page


def test_more_counts_what_stands_behind_it(browse: Browse, bob: User, now: datetime) -> None:
    looked_at("redis", Status.UNHEALTHY, now=now)
    Process().report(a_breaker("a", state="OPEN"), a_breaker("b", state="OPEN"), now=now)
    (part,) = (part for part in parts_of("audit") if part.target == "more-badge")
    for shared in part.shared:
        shared.forget()
    said = "3 (2 breakers not closed, 1 component abnormal)"
    for html in (text(browse(bob), "/audit"), part.render()):
        assert words(html, "more-badge", end="</span></span>") == said


def test_the_overview_shows_what_is_abnormal_and_counts_the_rest(
    browse: Browse, bob: User, charlie: User, now: datetime
) -> None:
    assert 'id="broken"' not in text(browse(charlie), "/")
    for slug in ("redis", "database", "memory", "cpu", "beat", "outbox"):
        looked_at(slug, Status.UNHEALTHY, now=now)
    card = words(text(browse(bob), "/"), "broken", end="</section>")
    assert "6 of 11 abnormal" in card
    assert card.count("Look at") == board.GLANCE_ROWS
    assert "1 more abnormal. 5 other components : Healthy." in card


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
