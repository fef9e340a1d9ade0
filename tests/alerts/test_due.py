"""By when somebody must own an alert: guide 8.3, in the desk's business hours where it says so."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured

from alerts.models import ResponseTime
from alerts.response import BusinessHours, due, raised
from opsconsole import env

NEW_YORK = BusinessHours(time(9), time(17), ZoneInfo("America/New_York"))
TIMES = {
    "CRITICAL": ResponseTime(priority="CRITICAL", minutes=0, escalate_every_minutes=5),
    "HIGH": ResponseTime(priority="HIGH", minutes=15, escalate_every_minutes=15),
    "MEDIUM": ResponseTime(priority="MEDIUM", minutes=60, escalate_every_minutes=60),
    "LOW": ResponseTime(priority="LOW", next_business_day=True, escalate_every_minutes=1440),
}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("priority", "due_after", "escalated_after"), [("CRITICAL", 0, 5), ("HIGH", 15, 15), ("MEDIUM", 60, 60)]
)
def test_by_the_clock_on_the_wall(priority: str, due_after: int, escalated_after: int) -> None:
    expected = (NOON + timedelta(minutes=due_after), NOON + timedelta(minutes=escalated_after))
    assert due(priority, raised_at=NOON, times=TIMES, hours=NEW_YORK) == expected


def test_what_has_no_time_is_never_due() -> None:
    assert due("HIGH", raised_at=NOON, times={}, hours=NEW_YORK) == (None, None)


@pytest.mark.parametrize(
    ("raised_at", "expected"),
    [
        # In the desk's hours, the winter's and the summer's.
        ("2026-11-23T10:00-05:00", "2026-11-24T22:00+00:00"),
        ("2026-07-06T10:00-04:00", "2026-07-07T21:00+00:00"),
        # After the close, Friday, the weekend.
        ("2026-11-23T18:00-05:00", "2026-11-24T22:00+00:00"),
        ("2026-11-20T16:59-05:00", "2026-11-23T22:00+00:00"),
        ("2026-11-21T12:00-05:00", "2026-11-23T22:00+00:00"),
        ("2026-11-22T23:59-05:00", "2026-11-23T22:00+00:00"),
        # The night before a business day: that day is the next one.
        ("2026-11-23T02:00-05:00", "2026-11-23T22:00+00:00"),
        ("2026-11-23T09:00-05:00", "2026-11-24T22:00+00:00"),
        # It is Friday in New York, though Saturday in UTC.
        ("2026-11-21T03:00+00:00", "2026-11-23T22:00+00:00"),
        # Over the weekends on which the clocks change.
        ("2026-03-06T12:00-05:00", "2026-03-09T21:00+00:00"),
        ("2026-10-30T12:00-04:00", "2026-11-02T22:00+00:00"),
    ],
)
def test_the_end_of_the_next_business_day(raised_at: str, expected: str) -> None:
    end = datetime.fromisoformat(expected)
    assert due("LOW", raised_at=datetime.fromisoformat(raised_at), times=TIMES, hours=NEW_YORK) == (end, end)


def test_business_hours_are_a_setting() -> None:
    hours = BusinessHours.of_settings()
    assert (hours.opens, hours.closes) == (time(9), time(17))


def test_one_step_more_urgent() -> None:
    assert [raised(priority) for priority in TIMES] == ["CRITICAL", "CRITICAL", "HIGH", "MEDIUM"]


@pytest.mark.parametrize("value", ["", "9-17", "09:00", "17:00-09:00", "09:00-09:00", "24:00-25:00"])
def test_business_hours_that_make_no_sense_fail_at_start(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="OPSCONSOLE_BUSINESS_HOURS must"):
        env.hours("OPSCONSOLE_BUSINESS_HOURS", "09:00-17:00", environ={"OPSCONSOLE_BUSINESS_HOURS": value})
