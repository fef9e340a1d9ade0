"""GET recent: filters, search, paging."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts import walks
from alerts.choices import AlertState
from alerts.models import Alert, KindTally
from alerts.selectors import Filters, parse_search, recent
from opsconsole.accounts.models import User
from tests.alerts.rows import NOW, firing
from tests.cast import caller
from tests.pages.queries import most_queries

LONG_AGO, FAR_OFF = NOW - timedelta(days=3650), NOW + timedelta(days=3650)
URL = "/monitoring/alerts/recent"


def made(minute: int, **fields: Any) -> Alert:
    """An alert taken in `minute` minutes after NOW, and its line in the day's tally."""
    at = NOW + timedelta(minutes=minute)
    times = dict.fromkeys(("starts_at", "first_at", "last_at", "decided_at"), at)
    alert = firing(**times | {"due_at": FAR_OFF} | fields)
    KindTally.objects.get_or_create(day=at.date(), category=alert.category, title=alert.title)
    return alert


@pytest.fixture
def alerts(db: None) -> list[Alert]:
    return [
        made(0, title="Volatility of TSLA", labels={"symbol": "TSLA"}, due_at=LONG_AGO),
        made(
            10,
            title="Quote is late",
            category="DATA_QUALITY",
            priority="MEDIUM",
            labels={"symbol": "AAPL", "venue": "X"},
            due_at=LONG_AGO,
        ),
        made(
            20,
            title="Cost of the day",
            category="COST_ALERT",
            priority="LOW",
            decision="QUIET_HOURS",
            sent_at=None,
            due_at=None,
            source="prometheus",
            state=AlertState.RESOLVED,
            resolved_at=NOW,
            labels={"symbol": "TSLA"},
        ),
        made(
            30,
            title="Volatility of AAPL",
            labels={},
            acknowledged_at=NOW,
            acknowledged_by="alice",
            due_at=LONG_AGO,
        ),
        made(40, title="Volatility of IBM", labels={}, priority="CRITICAL", due_at=LONG_AGO),
    ]


@pytest.mark.parametrize(
    "query",
    [
        *(
            "category=risk",
            "category=NOPE",
            "priority=URGENT",
            "decision=GONE",
            "state=OPEN",
            "acknowledged=yes",
        ),
        *("overdue=1", "since=yesterday", "since=2026-11-23T10:00:00", "until=9999-12-31T23:59:59-14:00"),
        *("limit=0", "limit=201", "cursor=x", "search=" + "x" * 201, "search=%00", "source=" + "x" * 65),
    ],
)
def test_a_bad_parameter_is_named(bob: User, query: str) -> None:
    answer = caller(bob).get(f"{URL}?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["error"]["details"]


def test_needs_the_right_to_read(charlie: User) -> None:
    assert caller(charlie).get(URL).status_code == 403


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [4, 3, 2, 1, 0]),
        ("category=RISK_WARNING", [4, 3, 0]),
        ("category=RISK_WARNING&priority=CRITICAL", [4]),
        ("decision=QUIET_HOURS", [2]),
        ("decision=DISABLED", []),
        ("state=FIRING", [4, 3, 1, 0]),
        ("source=prometheus", [2]),
        ("source=api&priority=HIGH", [3, 0]),
        ("acknowledged=true", [3]),
        ("acknowledged=false", [4, 2, 1, 0]),
        ("acknowledged=true&category=COST_ALERT", []),
        ("overdue=true", [4, 1, 0]),
        ("overdue=false", [3, 2]),
        ("overdue=true&priority=CRITICAL", [4]),
        ("search=volatility", [4, 3, 0]),
        ("search=of+AAPL", [3]),
        ("search=volatility&priority=CRITICAL", [4]),
        ("search=symbol=TSLA", [2, 0]),
        ("search=symbol=TSLA+cost", [2]),
        ("search=symbol=AAPL+venue=X", [1]),
        ("search=nothing+like+it", []),
        ("since=2026-11-23T14:20:00Z", [4, 3, 2]),
        ("until=2026-11-23T14:20:00Z", [1, 0]),
        ("since=2026-11-23T14:10:00Z&until=2026-11-23T14:31:00Z&category=RISK_WARNING", [3]),
        ("since=2027-01-01T00:00:00Z", []),
    ],
)
def test_filters(bob: User, alerts: list[Alert], query: str, numbers: list[int]) -> None:
    answer = caller(bob).get(f"{URL}?{query}").json()
    assert [row["id"] for row in answer["results"]] == [alerts[number].pk for number in numbers]
    assert answer["next"] is None


def test_finds_an_alert_by_its_number(bob: User, alerts: list[Alert]) -> None:
    client, wanted = caller(bob), alerts[2].pk
    for text in (str(wanted), f"%23{wanted}"):
        assert [row["id"] for row in client.get(f"{URL}?search={text}").json()["results"]] == [wanted]
    assert client.get(f"{URL}?search={wanted}&state=FIRING").json()["results"] == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=FIRING",
        "search=volatility",
        "search=symbol=TSLA",
        "source=api",
        "overdue=true",
        "since=2026-11-23T14:00:00Z",
    ],
)
def test_pages_hold_each_alert_once_newest_first(bob: User, alerts: list[Alert], query: str) -> None:
    client, seen = caller(bob), []
    everything = [row["id"] for row in client.get(f"{URL}?{query}").json()["results"]]
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(f"{URL}?{query}&limit=1&cursor={cursor}").json()
        assert len(page["results"]) <= 1
        seen += [row["id"] for row in page["results"]]
        cursor = page["next"]
    assert seen == everything
    assert len(seen) >= 2


@pytest.mark.parametrize(
    "filters",
    [
        Filters(search="volatility", priority="CRITICAL"),
        Filters(source="api", acknowledged=False),
        Filters(category="RISK_WARNING", acknowledged=False),
        Filters(search="symbol=TSLA", state="FIRING"),
        Filters(overdue=True, source="api"),
        Filters(overdue=False),
    ],
)
def test_a_walk_that_stops_early_loses_nothing(
    alerts: list[Alert], monkeypatch: pytest.MonkeyPatch, filters: Filters
) -> None:
    for minute in range(50, 62):
        made(
            minute,
            title="Volatility of TSLA",
            labels={"symbol": "TSLA"},
            priority="CRITICAL" if minute % 5 == 0 else "HIGH",
        )
    now = timezone.now()
    whole = [alert.pk for alert in recent(filters, limit=100, now=now).results]
    monkeypatch.setattr(walks, "WINDOW", 3)
    seen: list[int] = []
    before = None
    for _ in range(100):
        page = recent(filters, limit=2, before_id=before, now=now)
        seen += [alert.pk for alert in page.results]
        if page.next_id is None:
            break
        assert before is None or page.next_id < before
        before = page.next_id
    assert seen == whole
    assert whole


def test_words_of_many_titles_are_found_by_going_through_the_newest(
    alerts: list[Alert], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "TITLES", 2)
    assert [alert.pk for alert in recent(Filters(search="VOLATILITY of"), limit=2).results] == [
        alerts[4].pk,
        alerts[3].pk,
    ]


@pytest.mark.parametrize(("search", "found"), [("100%", 1), ("0%_", 0), ("_", 0), ("\\", 0), ("%", 1)])
def test_search_takes_signs_as_they_are(alerts: list[Alert], search: str, found: int) -> None:
    made(50, title="Limit used to 100%")
    assert len(recent(Filters(search=search), limit=9).results) == found


def test_a_row_says_what_was_decided_and_whether_it_is_overdue(bob: User, alerts: list[Alert]) -> None:
    rows = {row["id"]: row for row in caller(bob).get(URL).json()["results"]}
    assert rows[alerts[2].pk]["reason"].startswith("held")
    assert [rows[alert.pk]["overdue"] for alert in alerts] == [True, True, False, False, True]
    assert rows[alerts[0].pk]["labels"] == {"symbol": "TSLA"}


def test_costs_the_same_few_queries_whatever_the_number_of_rows(alerts: list[Alert]) -> None:
    with most_queries(5):
        recent(Filters(search="volatility", since=NOW, until=NOW + timedelta(hours=1)), limit=50)


def test_search_is_read_as_words_labels_and_a_number() -> None:
    assert parse_search("late symbol=AAPL quote") == parse_search("  late   quote symbol=AAPL ")
    assert parse_search("#17").number == 17
    assert parse_search("a=b=c").labels == {"a": "b=c"}
    assert parse_search("1=x").words == ("1=x",)
