"""Deliveries while worker, web, beat and Valkey are killed: the short form of `script/bench deliveries`."""

from collections import Counter
from pathlib import Path

from bench.delivery_faults import judge, measure
from bench.delivery_receiver import Arrival


def test_nothing_is_lost_and_what_comes_again_is_marked(folder: Path) -> None:
    found = measure(folder, deliveries=200, every=20)
    assert sum(found["kills"].values()) >= 3
    zero = {name: found[name] for name in ("missing", "lost", "not_sent", "unmarked", "unexplained")}
    assert zero == dict.fromkeys(zero, 0)
    assert found["written"] == 200
    assert found["answers"]["200"] >= 200


def call(key: str, answer: str = "200", *, marked: bool = False) -> Arrival:
    return Arrival(key, answer, marked, "title", 0.0)


def test_the_judge_sees_each_kind_of_fault() -> None:
    rows = [(key, "SENT", 1, False) for key in ("once", "unmarked", "marked", "died", "lost")]
    arrivals = [
        call("once", "500"),
        call("once"),
        *(call("unmarked"), call("unmarked")),
        *(call("marked", "cut"), call("marked", marked=True)),
        *(call("died"), call("died", marked=True)),
        call("lost", "500"),
    ]
    found = judge(arrivals, rows, {"died"}, expected=6)
    assert (found["missing"], found["lost"], found["not_sent"]) == (1, 1, 0)
    assert (found["again"], found["unmarked"], found["unexplained"]) == (3, 1, 1)
    assert found["answers"] == Counter({"200": 6, "500": 2, "cut": 1})
