"""Statistics: the same numbers from minutes and from hours, and who talks most."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from alerts.models import Delivery, HourTally, KindTally, MinuteTally
from alerts.services.tallies import sum_up_hours
from alerts.statistics import flapping, never_acted_on, statistics, top_talkers
from alerts.tallied import tallied
from opsconsole.accounts.models import User
from tests.alerts.rows import NOW, a_channel, firing
from tests.cast import caller

URL = "/monitoring/alerts/statistics"


def tally(minutes_ago: float, count: int = 1, **fields: Any) -> None:
    minute = (NOW - timedelta(minutes=minutes_ago)).replace(second=0, microsecond=0)
    given = {"category": "RISK_WARNING", "priority": "HIGH", "decision": "SENT"}
    MinuteTally.objects.create(minute=minute, count=count, **given | fields)


@pytest.fixture
def week(db: None) -> None:
    """One a minute-row: 1 in the last hour, 10 in the last day, 100 in the last week, 1000 before it."""
    tally(30, 1)
    tally(90, 4)
    tally(23 * 60, 6, decision="DEDUPED")
    tally(25 * 60, 40, category="COST_ALERT", priority="LOW")
    tally(6 * 1440, 50)
    tally(8 * 1440, 1000)


def test_needs_the_right_to_read(charlie: User) -> None:
    assert caller(charlie).get(URL).status_code == 403


def test_counts_the_last_hour_day_and_week(week: None) -> None:
    windows = statistics(now=NOW).windows
    assert {name: window.total for name, window in windows.items()} == {"hour": 1, "day": 11, "week": 101}
    assert windows["day"].by_decision["DEDUPED"] == 6
    assert windows["day"].by_decision["SILENCED"] == 0
    assert windows["week"].by_category == dict.fromkeys(windows["week"].by_category, 0) | {
        "RISK_WARNING": 61,
        "COST_ALERT": 40,
    }
    assert windows["week"].by_priority["LOW"] == 40


def test_summed_up_hours_change_no_number(week: None) -> None:
    moments = [
        NOW - timedelta(minutes=minutes) for minutes in (0, 29, 30, 31, 90, 1380, 1381, 1500, 8640, 20_000)
    ]
    before = tallied(moments)
    assert sum_up_hours(now=NOW) > 0
    assert tallied(moments) == before
    # And they are read: with the minutes gone, the week stays.
    MinuteTally.objects.filter(minute__lt=NOW - timedelta(days=2)).delete()
    assert statistics(now=NOW).windows["week"].total == 101


def test_sums_up_each_hour_once_and_only_when_it_is_over(week: None) -> None:
    sum_up_hours(now=NOW + timedelta(minutes=4))
    assert not HourTally.objects.filter(hour__gte=NOW - timedelta(hours=1)).exists()
    first = list(HourTally.objects.order_by("pk").values_list("pk", "count"))
    assert sum_up_hours(now=NOW + timedelta(minutes=4)) == 0
    sum_up_hours(now=NOW + timedelta(minutes=6))
    assert list(HourTally.objects.order_by("pk").values_list("pk", "count"))[: len(first)] == first
    assert HourTally.objects.get(hour=NOW - timedelta(hours=1)).count == 1
    days = HourTally.objects.filter(hours=24).order_by("hour", "-count").values_list("hour", "count")
    midnight = NOW.replace(hour=0)
    assert list(days) == [
        (midnight - timedelta(days=ago), count) for ago, count in ((8, 1000), (6, 50), (1, 40), (1, 6))
    ]


def kind(title: str, days_ago: int, *, raised: int, sent: int = 0, acted: int = 0) -> None:
    day = (NOW - timedelta(days=days_ago)).date()
    KindTally.objects.create(
        day=day, category="RISK_WARNING", title=title, raised=raised, sent=sent, acted=acted
    )


def test_top_talkers_of_seven_days(db: None) -> None:
    kind("loud", 0, raised=5)
    kind("loud", 6, raised=5, sent=2)
    kind("louder", 1, raised=11)
    kind("was loud", 7, raised=500)
    talkers = top_talkers(now=NOW)
    assert [(row.title, row.raised, row.sent) for row in talkers] == [("louder", 11, 0), ("loud", 10, 2)]
    assert talkers[1].last_day == NOW.date()


def test_what_nobody_acted_on_was_sent_and_left_alone(db: None) -> None:
    kind("left alone", 3, raised=9, sent=3)
    kind("left alone", 29, raised=1, sent=1)
    kind("owned", 3, raised=9, sent=3)
    kind("owned", 20, raised=1, acted=1)
    kind("never sent", 3, raised=9)
    assert [(row.title, row.sent) for row in never_acted_on(now=NOW)] == [("left alone", 4)]


def test_flapping_names_each_fingerprint_once_by_its_newest_incident(db: None) -> None:
    again = uuid4()
    for flaps in (1, 2, 3):
        firing(fingerprint=again, flaps=flaps, state="RESOLVED", resolved_at=NOW)
    newest = firing(fingerprint=again, flaps=4)
    firing(flaps=5, first_at=NOW - timedelta(days=2))
    firing(flaps=1)
    assert [alert.pk for alert in flapping(now=NOW)] == [newest.pk]


def test_deliveries_by_channel(bob: User) -> None:
    desk, night = a_channel("desk"), a_channel("night")
    for days, state in ((9, "SENT"), (2, "SENT"), (0, "SENT"), (0, "DEAD")):
        at = NOW - timedelta(days=days)
        Delivery.objects.create(
            channel=desk,
            channel_name="desk",
            kind="firing",
            priority="HIGH",
            state=state,
            created_at=at,
            due_at=at,
        )
    windows = statistics(now=NOW).windows
    assert windows["hour"].by_channel == {"desk": {"SENT": 1, "DEAD": 1}, night.name: {}}
    assert windows["week"].by_channel["desk"] == {"SENT": 2, "DEAD": 1}


def test_answers_everything_over_the_api(bob: User, week: None) -> None:
    kind("loud", 0, raised=5)
    answer = caller(bob).get(URL).json()
    assert set(answer) == {"at", "windows", "top_talkers", "flapping", "never_acted_on", "overdue"}
    assert set(answer["windows"]["hour"]) == {
        *("since", "total", "by_category", "by_priority", "by_decision", "by_channel"),
    }


def test_an_empty_console_has_zeros(db: None) -> None:
    found = statistics(now=NOW)
    assert found.windows["week"].total == 0
    assert (found.top_talkers, found.flapping, found.never_acted_on, found.overdue) == ([], [], [], 0)
