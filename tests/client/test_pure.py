"""The parts that take no time and no network: events, snapshots, scopes, wording."""

import math
from typing import Any

import pytest
from opsclient.errors import ConfigurationError, ProtocolError
from opsclient.jsonable import LONGEST_BODY, jsonable, stop_body
from opsclient.reasons import Mode
from opsclient.scopes import covers, is_scope, process_scopes
from opsclient.snapshot import parse
from opsclient.sse import EventParser
from opsclient.wording import readable_stop

TEXT = 'event: a\r\ndata: {"x": 1}\r\n\r\n: comment\n\nid: 7\ndata: é\ndata: 2\n\nevent: b\rdata:3\r\r\n'.encode()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_however_they_are_cut(size: int) -> None:
    parser = EventParser()
    events = [event for i in range(0, len(TEXT), size) for event in parser.feed(TEXT[i : i + size])]
    assert events == [("a", '{"x": 1}'), ("message", "é\n2"), ("b", "3")]


def test_an_endless_event_is_refused() -> None:
    parser = EventParser()
    for _ in range(41):
        parser.feed(b"data: " + b"x" * 100_000 + b"\n")
    with pytest.raises(ProtocolError, match="longer than"):
        parser.feed(b"data: " + b"x" * 100_000)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "epoch"),
        ({"epoch": "7"}, "epoch"),
        ({"epoch": True}, "epoch"),
        ({"epoch": 7, "switches": {}}, "switches"),
        ({"epoch": 7, "switches": [{"mode": "HALTED", "activation": 1}]}, "scope"),
        ({"epoch": 7, "switches": [{"scope": "global", "mode": "HALTED"}]}, "activation"),
        ({"epoch": 7, "commands": [{"id": 1, "kind": "x"}]}, "targets"),
    ],
)
def test_a_snapshot_that_cannot_be_read_is_refused_by_field(data: dict[str, Any], field: str) -> None:
    with pytest.raises(ProtocolError, match=field):
        parse(data)


def test_an_unknown_mode_counts_as_halted_and_active_as_none() -> None:
    switches = [
        {"scope": "global", "mode": "SLOWLY", "activation": 1},
        {"scope": "symbol:A", "mode": "REDUCE_ONLY", "activation": 2},
        {"scope": "symbol:B", "mode": "ACTIVE"},
    ]
    snapshot = parse({"epoch": 1, "switches": switches, "news": "of a later version"})
    assert [stop.mode for stop in snapshot.stops] == [Mode.HALTED, Mode.REDUCE_ONLY]


@pytest.mark.parametrize(
    "scope", ["", "symbol", "symbol:", "desk:7", "GLOBAL", "symbol: A", "symbol:" + "A" * 200, None]
)
def test_what_is_not_a_scope(scope: object) -> None:
    assert not is_scope(scope)


@pytest.mark.parametrize("scopes", ["symbol:A", ["global"], ["symbol:A", "desk:7"]])
def test_scopes_of_a_process_are_checked(scopes: Any) -> None:
    with pytest.raises(ConfigurationError, match="my_scopes"):
        process_scopes(scopes, argument="my_scopes")


@pytest.mark.parametrize(
    ("scope", "named", "covered"),
    [
        ("global", [], True),
        ("symbol:A", ["symbol:A"], True),
        ("symbol:A", ["symbol:B"], False),
        ("symbol:A", ["symbol:A", "symbol:B"], True),
        ("symbol:A", [], True),  # it may trade A: nobody says otherwise
        ("symbol:A", ["strategy:x"], True),
        ("strategy:x", ["symbol:A", "strategy:y"], False),
    ],
)
def test_what_a_stop_covers(scope: str, named: list[str], covered: bool) -> None:
    assert covers(scope, frozenset(named)) is covered


class Awkward:
    def __str__(self) -> str:
        raise RuntimeError("no text for you")


def test_anything_becomes_json() -> None:
    endless: dict[str, Any] = {}
    endless["self"] = endless
    data = jsonable(
        {"nan": math.nan, 3: {4}, "bad": Awkward(), "surrogate": "\ud800", "endless": endless, "b": True}
    )
    body = stop_body(reason="MANUAL", message="m", metadata=data, scope="global", mode="HALTED")
    assert b'"nan": "nan"' in body
    assert b'"3": [4]' in body
    assert b"<Awkward>" in body


def test_metadata_that_is_too_large_is_left_out_not_the_stop() -> None:
    body = stop_body(
        reason="MANUAL", message="m", metadata={"x": "y" * 100_000}, scope="global", mode="HALTED"
    )
    assert len(body) < LONGEST_BODY
    assert b"left_out_bytes" in body


def test_a_stop_is_never_refused_over_its_wording() -> None:
    stop, warnings = readable_stop("BECAUSE", Awkward, ["list"], "desk:7", "SLOWLY", by="me")
    assert (stop.reason, stop.scope, stop.mode) == ("MANUAL", "global", Mode.HALTED)
    assert stop.metadata["sent"]["reason"] == "BECAUSE"
    assert len(warnings) == 4


def test_a_well_worded_stop_has_no_warnings() -> None:
    stop, warnings = readable_stop("VOLATILITY", "wild", {"vix": 80}, "symbol:A", "REDUCE_ONLY", by="me")
    assert (stop.reason, stop.message, stop.metadata, stop.scope) == (
        "VOLATILITY",
        "wild",
        {"vix": 80},
        "symbol:A",
    )
    assert warnings == []
