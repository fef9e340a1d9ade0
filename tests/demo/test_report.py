"""The report: which orders count as late, by which clock, and for which stop."""

from typing import Any

from demo import report

MS = 1_000_000
# The wall clock read 2026-11-22T10:00:00Z when the steady clock read 0.
WALL = 1_795_341_600_000 * MS


def order(ms: float, client: str = "IBM", side: str = "buy", step_ms: float = 0) -> dict[str, Any]:
    boot = round(ms * MS)
    return {
        "kind": "order",
        "boot": boot,
        "wall": WALL + boot + round(step_ms * MS),
        "client": client,
        "side": side,
    }


def stop(**fields: Any) -> dict[str, Any]:
    """A stop pressed 10 s in, known to be committed 5 ms later, with a term of 500 ms: the bound lies at
    10,505 ms.
    """
    return {
        "id": 7,
        "scope": "global",
        "mode": "HALTED",
        "drill": False,
        "reason": "MANUAL",
        "activated_by": "dana",
        "activated_at": "2026-11-22T10:00:10Z",
        "confirmed_at": "2026-11-22T10:00:10.005Z",
        "term_ms": 500,
        "time_to_stop_ms": 12.5,
        "ended_at": None,
    } | fields


def late(journal: list[dict[str, Any]], **fields: Any) -> list[int]:
    return [seen.orders_after_bound for seen in report.build(journal, [stop(**fields)]).stops]


def test_an_order_is_late_only_after_the_bound() -> None:
    built = report.build([order(9_999), order(10_003), order(10_505), order(10_506)], [stop()])
    [seen] = built.stops
    assert (seen.orders_before_bound, seen.orders_after_bound, seen.last_order_ms) == (2, 1, 506.0)
    assert built.orders_after_bound == 1
    assert "after a stop's bound: 1" in report.as_text(built)


def test_without_a_late_order_it_says_none() -> None:
    built = report.build([order(9_999), order(10_003)], [stop()])
    assert "after a stop's bound: none" in report.as_text(built)


def test_orders_after_the_re_arm_are_in_order() -> None:
    assert late([order(0), order(20_001)], ended_at="2026-11-22T10:00:20Z") == [0]
    assert late([order(0), order(19_999)], ended_at="2026-11-22T10:00:20Z") == [1]


def test_a_stop_of_one_symbol_is_no_other_s_business() -> None:
    assert late([order(11_000, "AAPL")], scope="symbol:IBM") == [0]
    assert late([order(11_000, "IBM")], scope="symbol:IBM") == [1]
    assert late([order(11_000, "IBM")], scope="strategy:momentum") == [1]
    assert late([order(11_000, "IBM")], scope="strategy:other") == [0]


def test_reduce_only_forbids_all_but_sales() -> None:
    assert late([order(11_000, side="sell")], mode="REDUCE_ONLY") == [0]
    assert late([order(11_000, side="buy")], mode="REDUCE_ONLY") == [1]


def test_drills_and_stops_of_earlier_runs_are_left_out() -> None:
    assert late([order(11_000)], drill=True) == []
    assert late([order(30_000)], ended_at="2026-11-22T10:00:20Z") == []


def test_a_stop_without_a_known_commit_is_named_rather_than_judged() -> None:
    built = report.build([order(11_000)], [stop(confirmed_at=None)])
    assert (built.stops, built.unproven) == ([], [7])
    assert "#7" in report.as_text(built)


def test_a_stepped_wall_clock_makes_the_count_stricter_and_is_said() -> None:
    journal = [order(9_000), order(10_400), order(12_000, "AAPL", "sell", step_ms=200)]
    built = report.build(journal, [stop(scope="symbol:IBM")])
    assert built.clock_spread_ms == 200.0
    # Seen from the stepped clock the stop was pressed 200 ms earlier: the order at 10,400 ms now lies behind
    # the bound.
    assert built.stops[0].orders_after_bound == 1


def test_counts_and_profits_are_the_venue_s_latest_totals() -> None:
    totals = {"played": 4, "orders": {"IBM": 9}, "fills": {"IBM": 7}, "profits": {"IBM": -12.5, "AAPL": 3.0}}
    earlier = {"played": 3, "orders": {}, "fills": {}, "profits": {}}
    first, second = ({"kind": "totals", "boot": at, "wall": WALL + at, "date": "2008-06-05"} for at in (1, 2))
    # Not what is left of the single records: the journal forgets its oldest part.
    built = report.build([order(0), first | earlier, second | totals], [])
    assert [built.days, built.orders, built.fills, built.profits] == list(totals.values())
    assert "-12.50 USD" in report.as_text(built)


def test_a_stop_names_the_day_of_the_tape_that_had_been_played() -> None:
    totals = {"kind": "totals", "played": 1, "orders": {}, "fills": {}, "profits": {}}
    days = [
        totals | {"boot": at * MS, "wall": WALL + at * MS, "date": date}
        for at, date in ((1, None), (9_000, "2008-09-26"), (9_999, "2008-09-29"), (10_400, "2008-09-30"))
    ]
    built = report.build([*days, order(11_000)], [stop()])
    assert built.stops[0].date == "2008-09-29"
    assert ", after the close of 2008-09-29, global HALTED MANUAL by dana" in report.as_text(built)
    assert report.build([order(11_000)], [stop()]).stops[0].date is None


def test_an_empty_journal_gives_an_empty_report() -> None:
    assert report.build([], [stop()]).stops == []
