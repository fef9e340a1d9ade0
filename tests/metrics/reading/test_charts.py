"""The charts of a page: lines and their names, marks on the time axis, the table."""

from datetime import timedelta

import pytest

from killswitch.models import Activation
from monitoring.metrics import panels
from monitoring.metrics.charts import RANGES, Drawn, Grid, draw, grid, spread, table
from monitoring.metrics.headlines import headlines
from monitoring.metrics.marks import marks
from tests.metrics.rows import a_series, at, gauge, histogram, minute

pytestmark = pytest.mark.usefixtures("tables")
NOW = at("2026-11-20 15:00") + timedelta(seconds=30)
HOUR = timedelta(hours=1)


def steps(name: str = "1h") -> Grid:
    return grid(RANGES[name], now=NOW)


def panel(page: panels.Page, key: str, name: str = "1h") -> Drawn:
    return next(item for item in draw(page, steps(name)) if item.panel.key == key)


def stop(hours: float, *, minutes: float | None, drill: bool = False) -> None:
    began = NOW - timedelta(hours=hours)
    ended = None if minutes is None else began + timedelta(minutes=minutes)
    Activation.objects.create(
        scope="global", mode="HALTED", drill=drill, epoch=1, reason="MANUAL", activated_at=began, ended_at=ended, actor_kind="user", term_ms=2000
    )  # fmt: skip


@pytest.mark.parametrize("name", RANGES)
def test_every_range_ends_with_the_step_that_is_under_way(name: str) -> None:
    found = steps(name)
    assert found.end - found.step <= NOW < found.end
    assert 15 <= len(found.times) <= 300


@pytest.mark.parametrize("page", panels.PAGES.values(), ids=str)
def test_every_panel_has_a_value_and_a_chart(page: panels.Page) -> None:
    keys = [item.key for item in page.panels]
    assert list(headlines(page, now=NOW)) == keys
    assert [item.panel.key for item in draw(page, steps())] == keys


def test_no_two_panels_share_a_key() -> None:
    keys = [item.key for page in panels.PAGES.values() for item in page.panels]
    assert len(keys) == len(set(keys)) == 23


def test_names_the_process_only_where_there_are_several() -> None:
    first = a_series("portfolio_value_usd", client="a")
    gauge(first, "2026-11-20 14:59", 5)
    assert [track.label for track in panel(panels.TRADING, "value").tracks] == ["a"]
    for client in ("b", "c"):
        a_series("cache_hit_rate", client=client, cache_type="redis")
    a_series("host_cpu_usage_pct", client="console")
    assert [track.label for track in panel(panels.SYSTEM, "cache").tracks] == ["redis b", "redis c"]
    assert [track.label for track in panel(panels.SYSTEM, "resources").tracks] == ["CPU"]


def test_shows_the_largest_of_too_many_lines() -> None:
    for number in range(10):
        row = a_series("risk_score", risk_type="market", ticker=f"T{number}")
        gauge(row, "2026-11-20 14:59", number)
    drawn = panel(panels.RISK, "scores")
    assert (len(drawn.tracks), drawn.more) == (8, 2)
    assert drawn.tracks[0].label == "market T9"
    assert "market T0" not in {track.label for track in drawn.tracks}


def test_the_rate_of_the_step_under_way_is_that_of_its_time_so_far() -> None:
    row = a_series("api_requests_total", method="GET", endpoint="/x", status="200")
    minute(row, "2026-11-20 14:59", 60)
    minute(row, "2026-11-20 15:00", 60)
    (track,) = panel(panels.SYSTEM, "requests").tracks
    assert track.numbers(steps())[-3:] == [None, 1, 2]


def test_divides_cost_by_analyses_and_leaves_a_gap_where_there_were_none() -> None:
    cost = a_series("ai_cost_usd_total", provider="p", model="m")
    analyses = a_series("ai_analyses_total", provider="p", model="m")
    minute(cost, "2026-11-20 14:58", 5)
    minute(cost, "2026-11-20 14:59", 6)
    minute(analyses, "2026-11-20 14:59", 3)
    (track,) = panel(panels.COST, "analysis").tracks
    assert track.numbers(steps())[-3:] == [None, 2, None]


def test_marks_stops_drills_and_open_breakers_of_the_range() -> None:
    stop(3, minutes=30)
    stop(2, minutes=90)
    stop(0.25, minutes=None)
    stop(0.5, minutes=5, drill=True)
    for client in ("a", "b"):
        breaker = a_series("circuit_breaker_state", client=client, name="claude")
        gauge(breaker, "2026-11-20 14:10", 0, 2, 0)
        gauge(breaker, "2026-11-20 14:11", 2)
        gauge(breaker, "2026-11-20 14:12", 1)
    found = [(mark.kind, mark.start, mark.end) for mark in marks(steps())]
    assert found == [
        ("stop", NOW - 2 * HOUR, NOW - HOUR / 2),
        ("breaker", at("2026-11-20 14:10"), at("2026-11-20 14:12")),
        ("drill", NOW - HOUR / 2, NOW - HOUR / 2 + timedelta(minutes=5)),
        ("stop", NOW - HOUR / 4, None),
    ]


def test_draws_the_switch_and_counts_its_activations() -> None:
    stop(0.5, minutes=2)
    stop(0.25, minutes=1, drill=True)
    (switch,) = panel(panels.SYSTEM, "switch").tracks
    (counts,) = panel(panels.RISK, "activations").tracks
    assert sum(switch.numbers(steps())) == 3  # type: ignore[arg-type]
    assert [number for number in counts.numbers(steps()) if number is not None] == [1]


def test_the_table_puts_steps_together_newest_first() -> None:
    row = a_series("volatility_breach_total", ticker="IBM")
    for moment in ("14:53", "14:57", "15:00"):
        minute(row, f"2026-11-20 {moment}", 2)
    drawn = panel(panels.RISK, "breaches")
    rows = table(drawn.tracks, steps())
    assert [(f"{row.at:%H:%M}", row.numbers) for row in rows[:3]] == [
        ("14:56", [4]),
        ("14:51", [2]),
        ("14:46", [None]),
    ]
    assert len(rows) == 12


def test_the_table_gives_rates_of_all_the_time_of_its_rows() -> None:
    row = a_series("api_requests_total", method="GET", endpoint="/x", status="200")
    minute(row, "2026-11-20 14:56", 330)
    minute(row, "2026-11-20 14:51", 300)
    drawn = panel(panels.SYSTEM, "requests")
    newest, before = table(drawn.tracks, steps())[:2]
    # Of the newest row four and a half minutes have gone by.
    assert newest.numbers == [pytest.approx(330 / 270)]
    assert before.numbers == [1]


def test_spreads_slippage_over_its_buckets() -> None:
    row = a_series("trade_slippage_bps", ticker="IBM")
    assert spread(panel(panels.TRADING, "slippage")) == []
    histogram(row, "2026-11-20 14:58", [1] + [0] * 14 + [3], 900)
    bars = spread(panel(panels.TRADING, "slippage"))
    assert [(bar.upto, bar.count) for bar in (bars[0], bars[-1])] == [("−50.0\u00a0bps", 1), ("more", 3)]
    assert (bars[-1].height, round(bars[0].height)) == (100, 33)
    assert spread(panel(panels.TRADING, "value")) == []
