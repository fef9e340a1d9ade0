"""Quiet hours on real clocks: over midnight, and on the days when clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.quiet import quiet_at

NIGHT = (22, 7)
# Days on which the clocks change: one hour, half an hour, at midnight, and a day that was skipped.
CHANGES = [
    ("America/New_York", datetime(2026, 3, 8, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 11, 1, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 8, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 23, 20, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 11, 23, tzinfo=UTC)),
    ("UTC", datetime(2026, 11, 23, tzinfo=UTC)),
]
WINDOWS = [NIGHT, (0, 1), (1, 2), (2, 3), (1, 3), (23, 0), (22, 1), (0, 7), (3, 2), (0, 23), (7, 22)]


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("21:59", None),
        ("22:00", "07:00"),
        ("23:14", "07:00"),
        ("00:00", "07:00"),
        ("06:59", "07:00"),
        ("07:00", None),
        ("12:00", None),
    ],
)
def test_over_midnight(local: str, expected: str | None) -> None:
    zone = ZoneInfo("America/New_York")
    at = datetime.fromisoformat(f"2026-11-23T{local}").replace(tzinfo=zone)
    quiet = quiet_at(at.astimezone(UTC), start=22, end=7, zone=zone.key)
    assert f"{quiet.local:%H:%M}" == local
    assert (quiet.until and f"{quiet.until.astimezone(zone):%H:%M}") == expected


def test_same_hour_twice_means_none() -> None:
    for hour in range(24):
        at = datetime(2026, 11, 23, hour, 30, tzinfo=UTC)
        assert quiet_at(at, start=7, end=7, zone="UTC").until is None


def test_an_hour_that_is_skipped_ends_at_the_jump() -> None:
    # 02:00 does not come in New York on this day: it is 03:00 at once.
    quiet = quiet_at(datetime(2026, 3, 8, 6, 30, tzinfo=UTC), start=22, end=2, zone="America/New_York")
    assert quiet.until == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    # 01:00 to 01:59 comes twice in New York on this day.
    for at in (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)):
        quiet = quiet_at(at, start=1, end=2, zone="America/New_York")
        assert quiet.until == datetime(2026, 11, 1, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(("zone", "around"), CHANGES)
@pytest.mark.parametrize(("start", "end"), WINDOWS)
def test_agrees_with_watching_the_clock(zone: str, around: datetime, start: int, end: int) -> None:
    """Every five minutes of two days and a half: quiet as the wall clock says, and `until` is the first loud time after it."""
    place, hours = ZoneInfo(zone), {(start + n) % 24 for n in range((end - start) % 24)}
    minutes = [around - timedelta(hours=20) + timedelta(minutes=5 * n) for n in range(12 * 60)]
    loud = [at for at in minutes if at.astimezone(place).hour not in hours]
    for at in minutes:
        quiet = quiet_at(at, start=start, end=end, zone=zone)
        following = next((one for one in loud if one > at), None)
        if at.astimezone(place).hour not in hours:
            assert quiet.until is None
        elif following is not None:
            assert quiet.until == following, at
