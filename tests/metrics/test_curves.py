"""Small charts that the server draws: gaps stay gaps, sums need all their parts, labels do not overlap."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring.metrics.cells import Cell
from monitoring.metrics.curves import Curve, Sign, together
from monitoring.metrics.reading import Line

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_curve(*values: float | None, **more: Any) -> Curve:
    times = [START + MINUTE * number for number in range(len(values))]
    now = START + MINUTE * len(values) - timedelta(seconds=20)
    return Curve("P&L", "usd", times, MINUTE, values, now, **more)


def a_line(*values: float | None) -> Line:
    return Line({}, [None if one is None else Cell(one, 1, low=one, high=one, last=one) for one in values])


def added(*lines: Sequence[float | None], every: bool = True) -> list[float | None]:
    return together([a_line(*line) for line in lines], sum, step=MINUTE, every=every)


def test_nothing_known_has_no_line() -> None:
    curve = a_curve(None, None)
    assert (curve.known, curve.path, curve.dots) == (False, "", [])
    assert curve.said == "P&L: nothing is known of this time."


def test_a_gap_begins_a_new_line_and_a_lonely_value_has_a_dot() -> None:
    curve = a_curve(1, 2, None, 3, None, 4, 4)
    assert curve.path.count("M") == 3
    assert [x for x, _ in curve.dots] == ["50.00", "92.86"]


def test_the_limit_and_zero_are_on_the_axis() -> None:
    curve = a_curve(-100, -200, limit=-5000, zero=True)
    assert 0 < float(curve.zero_y) < float(curve.limit_y) < 100
    assert curve.limit_text == "Limit −$5,000.00"
    assert (curve.zero_labelled, curve.zero_text) == (True, "$0")


def test_labels_do_not_lie_on_each_other() -> None:
    assert not a_curve(-900, 9000, limit=-500, zero=True).zero_labelled


def test_one_value_alone_has_an_axis() -> None:
    assert a_curve(0.0).dots == [("50.00", "50.00")]


def test_signs_within_the_axis_alone_and_the_newest_has_the_label() -> None:
    before = Sign("stop", "Stop", START - MINUTE * 5, START - MINUTE)
    over = Sign("stop", "Stop", START - MINUTE * 5, START + MINUTE)
    lasting = Sign("stop", "Stop", START + MINUTE * 3, lasts=True)
    placed = a_curve(1, 2, 3, 4, signs=[before, over, lasting]).placed
    assert [(one.x, one.width, one.labelled) for one in placed] == [
        ("0.00", "25.00", False),
        ("75.00", "25.00", True),
    ]
    assert placed[1].anchor == "end"


def test_says_in_words_what_it_shows() -> None:
    curve = a_curve(1, -5, 2, limit=-4, signs=[Sign("raised", "Raised", START)])
    assert curve.said.endswith("lowest −$5.00, highest $2.00, last $2.00. Limit −$4.00. Raised.")


def test_the_table_has_twelve_rows_at_most_and_no_zero_for_unknown() -> None:
    rows = a_curve(*range(20), *[None] * 10).rows
    assert len(rows) == 10
    assert rows[0][1:] == ("unknown", "unknown")
    assert rows[-1] == (START, "$2.00", "$0.00 to $2.00")


def test_ends_with_now_within_a_step_that_is_under_way() -> None:
    assert a_curve(1, 2).until == START + timedelta(seconds=100)


def test_the_band_shows_what_a_step_went_through() -> None:
    curve = a_curve(1, 2, lows=[-9, 2], highs=[1, 2], limit=-5)
    assert [x for x, _, _ in curve.band] == ["25.00"]
    assert "lowest −$9.00" in curve.said
    assert curve.rows[-1][2] == "−$9.00 to $1.00"


# Several gauges as one


def test_a_lowest_value_counts_in_its_own_step_alone() -> None:
    line = Line({}, [Cell(1, 2, low=-50, high=1, last=1), None])
    assert together([line], sum, step=MINUTE, every=True, number=lambda cell: cell.low) == [-50, 1]


def test_a_silent_one_keeps_its_value_for_five_minutes_and_is_unknown_then() -> None:
    found = added([1] * 8, [10, *[None] * 7])
    assert found == [11] * 6 + [None] * 2


def test_the_others_go_on_where_not_all_are_needed() -> None:
    assert added([1] * 8, [10, *[None] * 7], every=False) == [11] * 6 + [1] * 2


def test_who_has_not_begun_is_not_waited_for() -> None:
    assert added([1, 1, 1], [None, 10, 10]) == [1, 11, 11]


@pytest.mark.parametrize("lines", [[], [[]]])
def test_no_lines_no_values(lines: list[list[float]]) -> None:
    assert added(*lines) == []
