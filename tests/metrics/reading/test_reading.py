"""What charts are told: increases, newest values, quantiles, and gaps where there was nothing."""

from datetime import timedelta

import pytest

from monitoring.day import Span
from monitoring.metrics import reading
from monitoring.metrics.catalogue import CATALOGUE
from monitoring.metrics.cells import Cell, merge, quantile
from monitoring.metrics.reading import Refused, series, totals
from tests.metrics.rows import a_series, at, five, gauge, histogram, hour, minute

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
START, END = at("2026-11-20 14:00"), at("2026-11-20 14:04")
BUCKETS = len(CATALOGUE["api_request_duration_seconds"].buckets) + 1


def ask(name: str = "trades_total", *, step: timedelta = MINUTE, **more: object) -> reading.Chart:
    labels = more.pop("labels", {})
    return series(name, labels, START, END, step, **more)  # type: ignore[arg-type]


def values(chart: reading.Chart, field: str = "total") -> list[list[float | None]]:
    return [[getattr(cell, field, None) for cell in line.cells] for line in chart.lines]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"name": "trades"}, "name"),
        ({"labels": {"colour": "red"}}, "labels.colour"),
        ({"step": timedelta(seconds=30)}, "step"),
        ({"step": timedelta(seconds=90)}, "step"),
        ({"by": ["colour"]}, "by"),
        ({"name": "risk_score", "by": []}, "by"),
    ],
)
def test_refuses_what_cannot_be_meant(asked: dict[str, object], field: str) -> None:
    with pytest.raises(Refused) as refused:
        ask(**asked)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_refuses_a_range_that_ends_before_it_begins() -> None:
    with pytest.raises(Refused, match="from: must lie before to"):
        series("trades_total", {}, END, START, MINUTE)


@pytest.mark.django_db
def test_refuses_more_points_than_a_chart_can_show() -> None:
    most = MINUTE * reading.MOST_POINTS
    series("trades_total", {}, START, START + most, MINUTE)
    with pytest.raises(Refused, match=r"step: gives 2001 points, at most 2000 .*lengthen"):
        series("trades_total", {}, START, START + most + MINUTE, MINUTE)


def test_refuses_more_series_than_a_chart_can_show(tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_SERIES", 2)
    for ticker in ("A", "B", "C"):
        a_series("trades_total", ticker=ticker, side="BUY", status="FILLED")
    with pytest.raises(Refused, match="labels: match 3 series, at most 2"):
        ask()
    assert len(ask(by=["side"]).lines) == 1


def test_refuses_to_read_more_rows_than_it_may(tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 3)
    a_series("trades_total", ticker="A", side="BUY", status="FILLED")
    with pytest.raises(Refused, match="from: would read 4 rows, at most 3"):
        ask()


def test_gives_the_increase_of_each_step_and_leaves_gaps(tables: None) -> None:
    found = a_series("trades_total", ticker="IBM", side="BUY", status="FILLED")
    minute(found, "2026-11-20 13:59", 100)
    minute(found, "2026-11-20 14:00", 3)
    minute(found, "2026-11-20 14:02", 4)
    minute(found, "2026-11-20 14:04", 100)
    chart = ask()
    assert values(chart) == [[3, None, 4, None]]
    assert chart.lines[0].labels == {"ticker": "IBM", "side": "BUY", "status": "FILLED"}
    assert chart.times[1] == at("2026-11-20 14:01")


def test_lays_steps_on_their_multiples_and_takes_the_whole_of_the_last(tables: None) -> None:
    found = a_series("trades_total", ticker="IBM", side="BUY", status="FILLED")
    minute(found, "2026-11-20 14:00", 1)
    minute(found, "2026-11-20 14:09", 2)
    chart = series("trades_total", {}, at("2026-11-20 14:03"), at("2026-11-20 14:06"), timedelta(minutes=5))
    assert (chart.start, chart.end) == (at("2026-11-20 14:00"), at("2026-11-20 14:10"))
    assert values(chart) == [[1, 2]]


def test_adds_up_clients_of_counters_unless_one_is_asked_for(tables: None) -> None:
    for client, amount in (("a", 1), ("b", 2)):
        row = a_series("volatility_breach_total", client=client, ticker="IBM")
        minute(row, "2026-11-20 14:00", amount)
    assert values(ask("volatility_breach_total")) == [[3, None, None, None]]
    assert values(ask("volatility_breach_total", labels={"client": "b"})) == [[2, None, None, None]]
    assert [line.labels for line in ask("volatility_breach_total", by=["client"]).lines] == [
        {"client": "a"},
        {"client": "b"},
    ]


def test_takes_only_series_with_the_labels(tables: None) -> None:
    for ticker, amount in (("IBM", 1), ("AAPL", 2)):
        minute(a_series("volatility_breach_total", ticker=ticker), "2026-11-20 14:00", amount)
    assert values(ask("volatility_breach_total", labels={"ticker": "AAPL"})) == [[2, None, None, None]]


def test_keeps_gauges_apart_by_client_with_their_newest_lowest_and_highest(tables: None) -> None:
    a, b = (a_series("portfolio_value_usd", client=client) for client in ("a", "b"))
    gauge(a, "2026-11-20 14:00", 5, 1, 3)
    gauge(a, "2026-11-20 14:01", 9, 4)
    gauge(b, "2026-11-20 14:00", 7)
    chart = series("portfolio_value_usd", {}, START, END, 2 * MINUTE)
    assert [line.labels for line in chart.lines] == [{"client": "a"}, {"client": "b"}]
    assert chart.lines[0].cells[0] == Cell(22, 5, low=1, high=9, last=4)
    assert values(chart, "last") == [[4, None], [7, None]]


def test_puts_the_buckets_of_histograms_together(tables: None) -> None:
    for client in ("a", "b"):
        row = a_series(
            "api_request_duration_seconds", client=client, method="GET", endpoint="/x", status="200"
        )
        histogram(row, "2026-11-20 14:00", [1, 2] + [0] * (BUCKETS - 2), 0.02)
        histogram(row, "2026-11-20 14:01", [0, 1] + [0] * (BUCKETS - 3) + [5], 0.5)
    cell = ask("api_request_duration_seconds", step=4 * MINUTE, by=[]).lines[0].cells[0]
    assert cell is not None
    assert cell.count == 18
    assert cell.total == pytest.approx(1.04)
    assert cell.buckets == (2, 6, *[0] * (BUCKETS - 3), 10)


@pytest.mark.parametrize(
    ("share", "bounds", "buckets", "expected"),
    [
        (0.5, (1, 2, 4), (0, 10, 0, 0), 1.5),
        (0.5, (1, 2, 4), (10, 0, 0, 0), 0.5),
        (0.95, (1, 2, 4), (50, 40, 10, 0), 3.0),
        (0.99, (1, 2, 4), (0, 0, 0, 7), 4),
        (0.5, (-50, -20, 0), (9, 1, 0, 0), -50),
        (0.5, (-50, -20, 0), (0, 10, 0, 0), -35),
        (0.5, (1, 2), (0, 0, 0), None),
    ],
)
def test_estimates_quantiles_as_prometheus_does(
    share: float, bounds: tuple[float, ...], buckets: tuple[int, ...], expected: float | None
) -> None:
    assert quantile(share, bounds, buckets) == (None if expected is None else pytest.approx(expected))


def test_a_merge_of_gaps_is_a_gap() -> None:
    assert merge([None, None]) is None
    assert merge([Cell(1, 1, 1, 1, 1), None, Cell(4, 2, 0, 3, 3)]) == Cell(5, 3, low=0, high=3, last=3)


def test_reads_hours_as_far_as_they_go_and_minutes_after(tables: None) -> None:
    found = a_series("volatility_breach_total", ticker="IBM")
    hour(found, "2026-11-20 11:00", 10)
    hour(found, "2026-11-20 12:00", 20)
    # What these minutes hold is in the hours already.
    minute(found, "2026-11-20 11:30", 10)
    minute(found, "2026-11-20 12:30", 20)
    minute(found, "2026-11-20 13:10", 5)
    minute(found, "2026-11-20 14:59", 6)
    chart = series("volatility_breach_total", {}, at("2026-11-20 10:00"), at("2026-11-20 15:00"), HOUR)
    assert values(chart) == [[None, 10, 20, 5, 6]]


def test_reads_five_minutes_as_far_as_they_go_and_minutes_after(tables: None) -> None:
    found, new = (a_series("volatility_breach_total", client=name, ticker="IBM") for name in ("a", "b"))
    five(found, "2026-11-20 12:10", 10)
    five(found, "2026-11-20 12:20", 20)
    # What these minutes hold is in the five minutes already.
    minute(found, "2026-11-20 12:11", 10)
    minute(found, "2026-11-20 12:24", 20)
    minute(found, "2026-11-20 12:25", 5)
    minute(found, "2026-11-20 12:39", 6)
    minute(new, "2026-11-20 12:12", 1)
    start, end = at("2026-11-20 12:05"), at("2026-11-20 12:40")
    chart = series("volatility_breach_total", {}, start, end, 5 * MINUTE)
    assert values(chart) == [[None, 11, None, 20, 5, None, 6]]
    chart = series("volatility_breach_total", {}, start, end, 10 * MINUTE)
    assert (chart.start, values(chart)) == (at("2026-11-20 12:00"), [[None, 11, 25, 6]])


def test_a_series_without_hours_is_read_by_minutes_beside_one_that_has_them(tables: None) -> None:
    old, new = (a_series("volatility_breach_total", client=client, ticker="IBM") for client in ("a", "b"))
    hour(old, "2026-11-20 12:00", 10)
    minute(new, "2026-11-20 12:10", 1)
    chart = series("volatility_breach_total", {}, at("2026-11-20 12:00"), at("2026-11-20 13:00"), HOUR)
    assert values(chart) == [[11]]


def test_totals_of_spans_that_begin_and_end_within_an_hour(tables: None) -> None:
    found = a_series("volatility_breach_total", ticker="IBM")
    hour(found, "2026-11-20 11:00", 10)
    for when, amount in (("10:15", 1), ("10:45", 2), ("11:20", 10), ("12:15", 3), ("12:30", 4)):
        minute(found, f"2026-11-20 {when}", amount)
    spans = [
        Span(at("2026-11-20 10:30"), at("2026-11-20 12:30")),
        Span(at("2026-11-20 10:10"), at("2026-11-20 10:20")),
        Span(at("2026-11-20 15:00"), at("2026-11-20 16:00")),
    ]
    (line,) = totals("volatility_breach_total", spans)
    assert [cell and cell.total for cell in line.cells] == [15, 1, None]
