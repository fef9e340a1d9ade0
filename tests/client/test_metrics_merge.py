"""Batches that are merged say the same in fewer words."""

import json
from itertools import pairwise
from typing import Any

from opsclient.metrics.batch import MOST_BYTES, Batch, build, compact, merge, split
from opsclient.metrics.series import Book
from opsclient.metrics.table import RISK, SLIPPAGE, TRADES
from opsclient.metrics.tally import Tally

BOOK = Book()


def batch(sent_at: str, trades: int, risk: float, generation: int = 1) -> Batch:
    tally = Tally()
    slippage = BOOK.get(SLIPPAGE, "AAPL")
    tally.pending.inc(BOOK.get(TRADES, "AAPL", "BUY", "filled"), trades)
    tally.pending.gauges[BOOK.get(RISK, "var", "all")] = risk
    for _ in range(trades):
        tally.pending.observe(slippage, 0.5, 7)
    (made,) = build(tally.take()[1], client="desk", sent_at=sent_at, generation=generation)
    return made


def rows(made: Batch) -> dict[str, Any]:
    data = json.loads(made.body)
    assert (data["batch_id"], data["client"], data["sent_at"]) == (made.id, "desk", made.sent_at)
    return {row["name"]: row for row in data["series"]}


def test_counts_are_summed_and_of_a_gauge_the_newest_value_stays() -> None:
    old, new = batch("2026-11-25T10:00:01Z", 2, 5, 3), batch("2026-11-25T10:00:09Z", 3, 4, 7)
    (merged,) = merge([old, new])
    assert (merged.sent_at, merged.generation) == ("2026-11-25T10:00:09Z", 3)
    assert merged.id not in (old.id, new.id)
    found = rows(merged)
    assert found["trades_total"]["inc"] == 5
    assert found["risk_score"]["set"] == 4
    slippage = found["trade_slippage_bps"]["histogram"]
    assert (slippage["count"], slippage["sum"], sum(slippage["buckets"])) == (5, 2.5, 5)
    assert slippage["buckets"][7] == 5


def test_what_has_other_labels_stays_apart() -> None:
    tally = Tally()
    tally.pending.inc(BOOK.get(TRADES, "IBM", "BUY", "filled"), 7)
    (other,) = build(tally.take()[1], client="desk", sent_at="2026-11-25T10:00:09Z", generation=2)
    (merged,) = merge([batch("2026-11-25T10:00:01Z", 2, 5), other])
    trades = [row for row in json.loads(merged.body)["series"] if row["name"] == "trades_total"]
    assert [(row["labels"]["ticker"], row["inc"]) for row in trades] == [("AAPL", 2), ("IBM", 7)]


def test_each_minute_is_kept_while_there_is_room() -> None:
    waiting = [batch(f"2026-11-25T10:0{second // 60}:{second % 60:02}Z", 1, second) for second in range(180)]
    fewer = compact(waiting, most=90, most_bytes=MOST_BYTES)
    assert [made.sent_at for made in fewer] == [f"2026-11-25T10:0{minute}:59Z" for minute in range(3)]
    assert [rows(made)["trades_total"]["inc"] for made in fewer] == [60] * 3


def test_without_room_the_older_minutes_are_one() -> None:
    waiting = [batch(f"2026-11-25T10:{minute:02}:00Z", 1, minute) for minute in range(60)]
    fewer = compact(waiting, most=8, most_bytes=MOST_BYTES)
    assert len(fewer) <= 8
    assert fewer[-1] is waiting[-1]
    assert sum(rows(made)["trades_total"]["inc"] for made in fewer) == 60
    assert all(a.sent_at < b.sent_at for a, b in pairwise(fewer))


def test_what_cannot_become_less_stays() -> None:
    waiting = [batch("2026-11-25T10:00:00Z", 1, 1), batch("2026-11-25T10:01:00Z", 1, 1)]
    (one,) = compact(waiting, most=5, most_bytes=10)
    assert rows(one)["trades_total"]["inc"] == 2


def test_halves_have_ids_of_their_own_and_all_of_it() -> None:
    whole = batch("2026-11-25T10:00:01Z", 2, 5)
    first, second = split(whole)
    assert len({whole.id, first.id, second.id}) == 3
    assert {**rows(first), **rows(second)} == rows(whole)
    assert split(first) == [], "one series is not split"
