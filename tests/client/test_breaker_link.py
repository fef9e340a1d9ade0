"""What a console says takes effect on the breakers, over real HTTP; whatever it says, the stream goes on."""

from collections.abc import Callable

import pytest
from opsclient import KillSwitch, OpsConsole
from opsclient.breaker import link as link_module
from opsclient.breaker.keeper import Keeper
from opsclient.breaker.steering import apply
from opsclient.breaker.wire import Row
from opsclient.circuit_breaker import (
    CircuitBreakerManager,
    CircuitBreakerOpenError,
    CircuitConfig,
    Transition,
)

from tests.client.breaker_calls import ONE, fail, trip
from tests.client.console_server import ConsoleServer, event, eventually


def test_an_operators_word_takes_effect_and_is_acknowledged(
    server: ConsoleServer, breakers: CircuitBreakerManager
) -> None:
    board, breaker = server.breakers, breakers.create_breaker("b", ONE)
    trip(breaker)
    assert server.wait_applied("b", board.reset("b"))["state"] == "CLOSED"
    row = server.wait_applied("b", board.say("b", config={"failure_threshold": 3, "timeout_seconds": 5}))
    assert (row["config"]["failure_threshold"], row["own_config"]["failure_threshold"]) == (3, 1)
    hold = {"state": "OPEN", "by": "sam", "reason": "why", "left_s": None}
    row = server.wait_applied("b", board.say("b", hold=hold))
    assert (row["state"], row["forced"]) == ("OPEN", "OPEN")
    row = server.wait_applied("b", board.say("b", hold={**hold, "state": "CLOSED"}))
    assert (row["state"], row["forced"]) == ("CLOSED", "CLOSED")
    row = server.wait_applied("b", board.say("b", hold=None, config=None))
    assert (row["forced"], row["config"]) == (None, row["own_config"])
    assert [why for _, _, why in board.seen("b")] == [
        "failure_threshold",
        "reset",
        "force_open",
        "force_closed",
    ]


def test_a_hold_ends_by_itself_while_the_console_is_away(
    server: ConsoleServer, breakers: CircuitBreakerManager
) -> None:
    breaker = breakers.create_breaker("b", ONE)
    server.breakers.say("b", hold={"state": "OPEN", "by": "", "reason": "", "left_s": 0.2})
    eventually(lambda: breaker.forced)
    server.stop()
    eventually(lambda: breaker.forced is None)
    assert breaker.state == "HALF_OPEN"


def test_what_was_said_before_the_breaker_was_made_counts_and_an_old_reset_does_not(
    server: ConsoleServer, connect: Callable[..., OpsConsole]
) -> None:
    board = server.breakers
    board.say("b", config={"timeout_seconds": 5})
    board.reset("b")
    console = connect()
    eventually(lambda: console.breakers._book.version == 2)
    told: list[Transition] = []
    breaker = CircuitBreakerManager(console=console).create_breaker("b", ONE)
    breaker.add_listener(told.append)
    assert breaker.config.timeout_seconds == 5
    trip(breaker)
    server.cut_streams()  # all is said again
    eventually(lambda: len(server.streams) == 2)
    server.wait_applied("b", board.say("b", config={"timeout_seconds": 6}))
    assert [transition.why for transition in told] == ["failure_threshold"]
    server.wait_applied("b", board.reset("b"))
    assert breaker.state == "CLOSED"


def test_a_reset_from_before_the_process_knew_its_console_is_no_news(
    server: ConsoleServer, connect: Callable[..., OpsConsole]
) -> None:
    server.breakers.reset("b")
    version = server.breakers.say("b", config={"timeout_seconds": 5})
    breaker = CircuitBreakerManager().create_breaker("b", ONE)
    trip(breaker)
    connect()
    assert server.wait_applied("b", version)["state"] == "OPEN"
    assert server.wait_applied("b", server.breakers.reset("b"))["state"] == "CLOSED"


def test_a_word_that_comes_while_a_breaker_is_made_is_not_undone_by_the_one_before(
    server: ConsoleServer, connect: Callable[..., OpsConsole], monkeypatch: pytest.MonkeyPatch
) -> None:
    board = server.breakers
    held = board.say("b", hold={"state": "OPEN", "by": "sam", "reason": "", "left_s": None})
    console = connect()
    eventually(lambda: console.breakers._book.version == held)
    later: list[int] = []

    def apply_late(keeper: Keeper, row: Row, *, reset: bool) -> None:
        if not later:
            later.append(board.say("b", hold=None))
            eventually(lambda: console.breakers._applied.get("b") == later[0])
        apply(keeper, row, reset=reset)

    monkeypatch.setattr(link_module, "apply", apply_late)
    breaker = CircuitBreakerManager(console=console).create_breaker("b", ONE)
    assert breaker.forced is None
    assert server.wait_applied("b", later[0])["forced"] is None


def test_a_breaker_that_the_console_no_longer_speaks_of_is_its_own(
    server: ConsoleServer, breakers: CircuitBreakerManager
) -> None:
    breaker = breakers.create_breaker("b", ONE)
    server.wait_applied("b", server.breakers.say("b", config={"failure_threshold": 3}))
    with server.breakers.lock:
        server.breakers.rows.clear()
        server.breakers.version += 1
    server.cut_streams()
    eventually(lambda: breaker.config == breaker.own_config)


@pytest.mark.parametrize(
    "data",
    [
        b"event: breakers\ndata: {not json\n\n",
        event("breakers", {"version": "x", "whole": True, "breakers": []}),
        event("breakers", {"version": 9, "s": None, "whole": False, "breakers": {}}),
        event("breakers", {"version": 9, "s": None, "breakers": [7, {"name": "b", "version": 9, "hold": 1}]}),
        event("breakers", {"version": 9, "s": None, "breakers": [{"name": "b", "version": 9, "config": {"x": 1}}]}),
        event("breakers", {"version": 9, "s": None, "breakers": [{"name": "b", "version": 9, "hold": {"state": "?"}}]}),
    ],
)  # fmt: skip
def test_what_cannot_be_read_does_not_end_the_stream(
    server: ConsoleServer,
    console: OpsConsole,
    breakers: CircuitBreakerManager,
    caplog: pytest.LogCaptureFixture,
    data: bytes,
) -> None:
    breaker = breakers.create_breaker("b", ONE)
    server.streams[0].raw.append(data)
    eventually(lambda: "the console's" in caplog.text)
    server.wait_acked(server.halt())
    assert not KillSwitch(console).is_trading_allowed()
    server.breakers.version = 10
    server.wait_applied("b", server.breakers.say("b", config={"failure_threshold": 3}))
    assert breaker.config.failure_threshold == 3
    assert len(server.streams) == 1


def test_an_error_where_the_word_is_taken_does_not_end_the_stream(
    server: ConsoleServer,
    connect: Callable[..., OpsConsole],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(link_module.Link, "hear", fail)
    assert connect().wait_until_live()
    server.wait_acked(server.halt())
    assert "the console's word on circuit breakers is lost" in caplog.text
    assert len(server.streams) == 1


def test_only_with_the_lease_of_the_console_a_shared_breaker_is_tried(
    server: ConsoleServer, breakers: CircuitBreakerManager
) -> None:
    board, breaker = server.breakers, breakers.create_breaker("b", CircuitConfig(success_threshold=1))
    board.lease_answer = {"granted": False, "retry_s": 0.01}
    board.say("b", shared={"state": "OPEN", "generation": 4, "left_s": 0.05})

    def tries() -> bool:
        try:
            breaker.call_sync(str)
        except CircuitBreakerOpenError:
            return False
        return True

    eventually(lambda: breaker.state == "OPEN")
    eventually(lambda: tries() or len(board.questions) >= 2)
    assert breaker.state == "OPEN"
    board.lease_answer = {"granted": True, "permits": 1, "term_s": 10.0}
    eventually(tries)
    assert breaker.state == "CLOSED"
    assert {(q["name"], q["breaker"], q["generation"]) for q in board.questions} == {("AAPL", "b", 4)}
    assert [why for _, _, why in eventually(lambda: len(board.seen("b")) == 3 and board.seen("b"))] == [
        "shared",
        "timeout_over",
        "probes_succeeded",
    ]
