"""The noise report: every figure from stored rows, judged against its standard."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from alerts.models import Alert, AlertRule, KindTally, MinuteTally, Silence, TenMinuteTally
from alerts.noise import counted_periods, histogram, in_flood, most_woken, noise, too_short
from alerts.noise_figures import STANDARDS, Figure, figure
from alerts.noise_rows import number_of, sent_by_priority, sent_in_tens
from alerts.services.tallies import sum_up_hours
from opsconsole.accounts.models import User
from tests.alerts.rows import NOW, firing
from tests.cast import account, caller

URL = "/monitoring/alerts/noise"
MONTH = NOW - timedelta(days=30)


def tally(at: datetime, count: int = 1, **fields: Any) -> None:
    given = {"category": "RISK_WARNING", "priority": "HIGH", "decision": "SENT"}
    MinuteTally.objects.create(minute=at.replace(second=0, microsecond=0), count=count, **given | fields)


def figures() -> dict[str, Figure]:
    return {found.key: found for found in noise(now=NOW).figures}


@pytest.fixture
def month(db: None) -> None:
    """Counting began 30 days ago, with something that was not sent."""
    tally(MONTH, decision="DEDUPED")


def test_needs_the_right_to_read(charlie: User) -> None:
    assert caller(charlie).get(URL).status_code == 403


def test_an_empty_console_knows_nothing_and_says_why(bob: User) -> None:
    answer = caller(bob).get(URL).json()
    assert answer["since"] is None
    found = {row["key"]: row for row in answer["figures"]}
    assert set(found) == set(STANDARDS)
    assert (found["rate"]["value"], found["rate"]["verdict"]) == (None, "unknown")
    assert found["rate"]["reason"] == "only 0 minutes of data"
    assert found["share_low"]["reason"] == "no alert was sent"
    assert found["owned"]["reason"] == "no alert has been due"
    assert found["chattering"]["verdict"] == "good"


@pytest.mark.parametrize(
    ("key", "value", "verdict"),
    [
        *(("rate", 1, "good"), ("rate", 1.5, "watch"), ("rate", 2, "watch"), ("rate", 2.1, "act")),
        *(("busy", 0.9, "good"), ("busy", 1, "watch"), ("busy", 5.1, "act")),
        *(("busiest", 10, "good"), ("busiest", 11, "act"), ("top_ten", 15.1, "act"), ("top_ten", 5, "good")),
        *(
            ("stale", 4, "good"),
            ("stale", 5, "act"),
            ("owned", 95, "good"),
            ("owned", 92, "watch"),
            ("owned", 89.9, "act"),
        ),
        *(
            ("share_low", 76, "good"),
            ("share_low", 66, "watch"),
            ("share_low", 64, "act"),
            ("share_low", 96, "act"),
        ),
        *(("share_critical", 0.9, "good"), ("share_critical", 1, "watch"), ("share_critical", 17, "act")),
        *(("woken", 2, "good"), ("woken", 3, "act"), ("never_acted", 0, "good"), ("never_acted", 1, "act")),
    ],
)
def test_verdicts(key: str, value: float, verdict: str) -> None:
    assert figure(key, value).verdict == verdict


def test_periods_without_alerts_count_too(month: None) -> None:
    for minute in (0, 3, 9):
        tally(NOW - timedelta(days=1, minutes=-minute), 4)
    found = figures()
    assert found["busiest"].value == 12
    assert found["rate"].value == pytest.approx(12 / 4321)
    assert found["busy"].value == pytest.approx(100 / 4321)
    assert (found["rate"].verdict, found["busiest"].verdict) == ("good", "act")


def test_a_flood_lasts_until_it_is_calm() -> None:
    assert in_flood([10, 11, 9, 5, 4, 5, 0]) == 3
    assert in_flood([0, 4, 10]) == 0


def test_the_histogram_has_every_period_once() -> None:
    bars = histogram([0, 0, 1, 2, 3, 5, 6, 11, 21, 500])
    assert [(bar.least, bar.most, bar.periods) for bar in bars] == [
        *((0, 0, 2), (1, 1, 1), (2, 2, 1), (3, 5, 2), (6, 10, 1), (11, 20, 1), (21, None, 2)),
    ]


def test_counted_periods_begin_and_end_with_the_time_asked_for() -> None:
    start = datetime(2026, 11, 23, 10, 9, tzinfo=UTC)
    ten = datetime(2026, 11, 23, 10, 10, tzinfo=UTC)
    assert counted_periods(
        [(number_of(ten), "A", 2), (number_of(ten), "B", 1)], since=start, now=start + timedelta(minutes=12)
    ) == [0, 3, 0]


@pytest.mark.parametrize(
    ("hours", "words"), [(0, "0 minutes"), (1 / 60, "1 minute"), (1, "1 hour"), (23, "23 hours"), (24, "")]
)
def test_too_little_data(hours: int, words: str) -> None:
    assert too_short(timedelta(hours=hours)) == (words and f"only {words} of data")


def test_few_kinds_show_the_ranking_instead_of_a_share(month: None) -> None:
    dana = account("dana")
    firing(title="Spread is wide", assignee=dana)
    for title, sent in (("Spread is wide", 7), ("Quote is late", 3), ("Never told", 0)):
        KindTally.objects.create(day=NOW.date(), category="RISK_WARNING", title=title, raised=9, sent=sent)
    found = noise(now=NOW)
    ranking = [(kind.title, kind.count, kind.owner) for kind in found.ranking]
    assert ranking == [("Spread is wide", 7, "dana"), ("Quote is late", 3, "")]
    share = next(row for row in found.figures if row.key == "top_ten")
    assert (share.value, share.reason) == (None, "only 2 kinds of alert: see the ranking")


def test_many_kinds_have_a_share(month: None) -> None:
    for number in range(50):
        sent = 11 if number < 10 else 1
        KindTally.objects.create(
            day=NOW.date(), category="RISK_WARNING", title=f"Kind {number}", raised=99, sent=sent
        )
    assert figures()["top_ten"].value == pytest.approx(100 * 110 / 150)


def last(seconds: float, **fields: Any) -> Alert:
    began = NOW - timedelta(hours=2)
    times = {"first_at": began, "last_at": began + timedelta(seconds=seconds), "decided_at": began}
    return firing(**times | fields)


def test_chattering_is_three_times_in_a_minute(month: None) -> None:
    last(50, title="Twice", count=2)
    last(119, title="Four times in two minutes", count=4)
    assert noise(now=NOW).chattering == []
    last(50, title="Three times", count=3)
    last(119, title="Five times in two minutes", count=5)
    last(
        86_000,
        title="Often in the end",
        count=30,
        repeats=2,
        repeated_at=NOW - timedelta(hours=1, minutes=59, seconds=20),
    )
    last(50, title="Not told", count=30, sent_at=None)
    found = [kind.title for kind in noise(now=NOW).chattering]
    assert found == ["Five times in two minutes", "Often in the end", "Three times"]
    assert figures()["chattering"].verdict == "act"


def test_coming_back_three_times_in_a_minute_is_chattering_too(month: None) -> None:
    for title, gap in (("Quick", 20), ("Slow", 31)):
        again = uuid4()
        for number in range(3):
            at = NOW - timedelta(hours=1) + timedelta(seconds=gap * number)
            over = {} if number == 2 else {"state": "RESOLVED", "resolved_at": at + timedelta(seconds=15)}
            firing(
                fingerprint=again, title=title, first_at=at, last_at=at, decided_at=at, flaps=number, **over
            )
    assert [(kind.title, kind.count) for kind in noise(now=NOW).chattering] == [("Quick", 1)]


def test_fleeting_is_gone_in_ten_seconds(month: None) -> None:
    began = NOW - timedelta(hours=1)
    for seconds in (10, 11):
        over = {"state": "RESOLVED", "resolved_at": began + timedelta(seconds=seconds)}
        firing(title=f"{seconds} s", first_at=began, **over)
    assert [kind.title for kind in noise(now=NOW).fleeting] == ["10 s"]


def test_stale_counts_the_worst_day(month: None) -> None:
    firing(first_at=NOW - timedelta(days=40))
    for _ in range(3):
        firing(first_at=NOW - timedelta(days=5), state="RESOLVED", resolved_at=NOW - timedelta(days=3))
    firing(first_at=NOW - timedelta(days=2))
    firing(first_at=NOW - timedelta(hours=23))
    # Four days ago the three and the old one; today the old one and that of two days ago.
    assert (figures()["stale"].value, figures()["stale"].verdict) == (4, "good")


def test_shares_of_priorities(month: None) -> None:
    tally(NOW - timedelta(days=1), 80, priority="LOW")
    tally(NOW - timedelta(days=1), 20, priority="CRITICAL")
    tally(NOW - timedelta(days=1), 500, priority="CRITICAL", decision="DEDUPED")
    found = figures()
    assert [found[f"share_{name}"].value for name in ("low", "medium", "high", "critical")] == [80, 0, 0, 20]
    assert [found[f"share_{name}"].verdict for name in ("low", "critical")] == ["good", "act"]


def test_silences_without_end_and_by_no_one(month: None, alice: User) -> None:
    for days, owner in ((89, alice), (400, alice), (1, None)):
        Silence.objects.create(
            matchers=[],
            starts_at=NOW,
            ends_at=NOW + timedelta(days=days),
            created_by="x",
            owner=owner,
            created_at=NOW,
            updated_at=NOW,
        )
    found = figures()
    assert (found["endless_silences"].value, found["by_no_one"].value) == (1, 1)


def test_owned_in_time_or_too_late(month: None) -> None:
    began = NOW - timedelta(hours=3)
    due = {"first_at": began, "due_at": began + timedelta(minutes=15)}
    firing(**due, acknowledged_at=began + timedelta(minutes=14))
    firing(**due, acknowledged_at=began + timedelta(minutes=16), escalation=1)
    firing(**due, escalation=3)
    # Due at once, and owned before it was escalated.
    firing(first_at=began, due_at=began, acknowledged_at=began + timedelta(minutes=2))
    # Over by itself before it was due, and not due yet: nobody was late.
    firing(**due, state="RESOLVED", resolved_at=began + timedelta(minutes=5))
    firing(first_at=began, due_at=NOW + timedelta(minutes=1))
    assert (figures()["owned"].value, figures()["owned"].verdict) == (50, "act")


def test_never_acted_on_needs_thirty_days_of_data(db: None) -> None:
    tally(NOW - timedelta(days=12))
    KindTally.objects.create(day=NOW.date(), category="RISK_WARNING", title="Left alone", raised=9, sent=2)
    found = noise(now=NOW)
    row = next(row for row in found.figures if row.key == "never_acted")
    assert (row.value, row.reason) == (None, "only 12 days of data")
    assert [kind.title for kind in found.never_acted_on] == ["Left alone"]
    tally(MONTH)
    assert figures()["never_acted"].value == 1


def test_woken_counts_one_shift_by_the_rules_own_clock(db: None) -> None:
    AlertRule.objects.filter(category="RISK_WARNING").update(time_zone="America/New_York")
    AlertRule.objects.filter(category="COST_ALERT").update(quiet_start=7, quiet_end=7)
    rules = list(AlertRule.objects.all())
    night = number_of(datetime(2026, 11, 23, 3, 0, tzinfo=UTC))
    tens = [
        # 22:00 and 06:50 in New York: quiet; 07:00: not.
        (night, "RISK_WARNING", 2),
        (night + 53, "RISK_WARNING", 1),
        (night + 54, "RISK_WARNING", 50),
        (night, "COST_ALERT", 50),
        # The night after.
        (night + 144, "RISK_WARNING", 1),
    ]
    assert most_woken(tens, rules, ZoneInfo("America/New_York")) == 3
    assert most_woken([], rules, ZoneInfo("UTC")) == 0


def test_what_is_summed_up_counts_as_its_minutes_do(month: None) -> None:
    for minutes, category in (
        (3, "COST_ALERT"),
        (31, "RISK_WARNING"),
        (95, "RISK_WARNING"),
        (96, "COST_ALERT"),
    ):
        tally(NOW - timedelta(minutes=minutes), minutes, category=category, priority="LOW")
    for days in (1, 7, 29):
        tally(NOW - timedelta(days=days), days)
        tally(NOW - timedelta(days=days, minutes=4), 5, priority="LOW")
        tally(NOW - timedelta(days=days), 100, decision="DEDUPED")
    # From the middle of ten minutes, and of an hour, that have alerts before and after.
    starts = [MONTH, NOW - timedelta(days=7, minutes=2), NOW - timedelta(minutes=95, seconds=30)]
    before = [(sent_in_tens(start), sent_by_priority(start)) for start in starts]
    assert sum_up_hours(now=NOW) > 0
    assert TenMinuteTally.objects.count() == 8
    assert [(sent_in_tens(start), sent_by_priority(start)) for start in starts] == before
    # It reads the sums, not the minutes.
    MinuteTally.objects.filter(minute__lt=NOW - timedelta(hours=2)).exclude(minute=MONTH).delete()
    assert [(sent_in_tens(MONTH), sent_by_priority(MONTH))] == before[:1]
    assert sum_up_hours(now=NOW + timedelta(minutes=1)) == 0


def test_a_repeat_writes_no_index_until_it_chatters(month: None) -> None:
    alert = last(50, title="Quiet")
    raised = "UPDATE alerts_alert SET count = %s, last_at = last_at + interval '1 second' WHERE id = %s"
    kept = "SELECT pg_stat_get_xact_tuples_hot_updated('alerts_alert'::regclass)"
    with connection.cursor() as cursor:
        found = []
        for count in (2, 3):
            cursor.execute(raised, [count, alert.pk])
            cursor.execute(kept)
            found.append(cursor.fetchone()[0])
    assert found == [1, 1]
