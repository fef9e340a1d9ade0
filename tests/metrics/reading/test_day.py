"""The trading day begins at midnight at the desk, also where clocks are changed."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from monitoring.day import days_of_month, span_of, today, trading_date
from opsconsole import env
from tests.metrics.rows import at


@pytest.mark.parametrize("value", ["Mars/Base", "", "../etc/passwd", "New York", "America"])
def test_refuses_a_zone_that_is_none(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="OPSCONSOLE_TRADING_ZONE must be the name of a time zone"):
        env.zone("OPSCONSOLE_TRADING_ZONE", "America/New_York", environ={"OPSCONSOLE_TRADING_ZONE": value})


def test_today_begins_at_midnight_in_the_trading_zone(settings: Settings) -> None:
    settings.TRADING_ZONE = env.zone("X", "America/New_York", environ={})
    assert trading_date(at("2026-11-20 04:59")) == date(2026, 11, 19)
    assert today(at("2026-11-20 05:00")).start == at("2026-11-20 05:00")


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 7, 1), 24)]
)
def test_a_day_has_the_hours_that_the_clock_gives_it(settings: Settings, day: date, hours: int) -> None:
    settings.TRADING_ZONE = env.zone("X", "America/New_York", environ={})
    span = span_of(day)
    assert span.end - span.start == timedelta(hours=hours)
    assert span_of(day + timedelta(days=1)).start == span.end


def test_a_midnight_that_does_not_exist_is_the_moment_after_it(settings: Settings) -> None:
    settings.TRADING_ZONE = env.zone("X", "America/Santiago", environ={})
    skipped = span_of(date(2026, 9, 6))
    assert skipped.start == span_of(date(2026, 9, 5)).end == at("2026-09-06 04:00")


def test_a_month_has_all_its_days() -> None:
    assert days_of_month(date(2028, 2, 17)) == [date(2028, 2, number) for number in range(1, 30)]
    assert len(days_of_month(date(2026, 12, 31))) == 31
