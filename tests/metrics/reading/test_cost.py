"""The projected month: what it cost so far, and the mean of the last full days for the time left."""

import pytest
from pytest_django import Settings

from monitoring.metrics.cost import month
from opsconsole import env
from tests.metrics.rows import a_series, at, hour, minute

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture(autouse=True)
def _desk_in_utc(settings: Settings) -> None:
    settings.TRADING_ZONE = env.zone("X", "UTC", environ={})


def test_is_unknown_when_no_cost_was_ever_reported() -> None:
    found = month(at("2026-11-20 12:00"))
    assert (found.so_far, found.projected, found.reason) == (None, None, "never reported")


def test_is_unknown_with_less_than_six_hours_of_data() -> None:
    row = a_series("ai_cost_usd_total", when=at("2026-11-20 10:00"), provider="x", model="y")
    minute(row, "2026-11-20 10:00", 3)
    found = month(at("2026-11-20 15:59"))
    assert (found.so_far, found.projected) == (3, None)
    assert found.reason == "only 5 h 59 min of data, 6 h 00 min are needed"


def test_goes_by_the_hours_there_are_before_the_first_full_day() -> None:
    row = a_series("ai_cost_usd_total", when=at("2026-11-20 06:00"), provider="x", model="y")
    minute(row, "2026-11-20 06:00", 1)
    minute(row, "2026-11-20 11:00", 1)
    found = month(at("2026-11-20 18:00"))
    assert found.daily_mean == pytest.approx(4)
    assert found.projected == pytest.approx(2 + 4 * 10.25)


def test_goes_by_the_mean_of_the_last_seven_full_days() -> None:
    row = a_series("ai_cost_usd_total", when=at("2026-10-01 00:00"), provider="x", model="y")
    other = a_series("ai_cost_usd_total", client="b", when=at("2026-11-15 00:00"), provider="x", model="z")
    hour(row, "2026-10-31 23:00", 1000)
    hour(row, "2026-11-01 00:00", 100)
    for day in range(18, 25):
        hour(row, f"2026-11-{day} 09:00", 7)
    minute(other, "2026-11-24 23:59", 7)
    minute(other, "2026-11-25 11:59", 2)
    found = month(at("2026-11-25 12:00"))
    assert found.so_far == pytest.approx(100 + 49 + 7 + 2)
    assert found.daily_mean == pytest.approx(8)
    assert found.projected == pytest.approx(158 + 8 * 5.5)


def test_counts_a_day_without_reports_with_nothing() -> None:
    row = a_series("ai_cost_usd_total", when=at("2026-11-19 23:00"), provider="x", model="y")
    minute(row, "2026-11-20 09:00", 10)
    found = month(at("2026-11-22 00:00"))
    assert found.daily_mean == pytest.approx(5)
