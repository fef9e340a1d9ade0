"""Breakers and a console, over real HTTP: what each hears of the other, and that no call waits for it."""

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opsclient import KillSwitch, OpsConsole
from opsclient.breaker import links
from opsclient.breaker.report import Waiting
from opsclient.circuit_breaker import (
    CircuitBreaker,
    CircuitBreakerManager,
    CircuitBreakerOpenError,
    CircuitConfig,
    Transition,
)
from opsclient.errors import ConfigurationError

from tests.client.answers import answer
from tests.client.console_server import ConsoleServer, event, eventually
from tests.client.test_breaker_manager import ONE, trip
from tests.client.test_fork import exit_code, in_child


@pytest.fixture
def manager(console: OpsConsole) -> CircuitBreakerManager:
    """Follows a console's stream."""
    return CircuitBreakerManager(console=console)


@pytest.fixture
def streamless(server: ConsoleServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[CircuitBreakerManager]:
    """Knows its console by the environment alone."""
    monkeypatch.setenv("OPSCLIENT_URL", server.url)
    monkeypatch.setenv("OPSCLIENT_TOKEN", str(server.token))
    monkeypatch.setenv("OPSCLIENT_NAME", "worker")
    yield CircuitBreakerManager()
    for own in list(links._of_environment.values()):
        own.give_away().close(0.5)
    links._of_environment.clear()


def in_force(server: ConsoleServer, name: str, version: int) -> dict[str, Any]:
    """What is reported once this version is applied."""

    def found() -> dict[str, Any] | None:
        latest = server.breakers.latest(name)
        return latest if latest is not None and latest["applied"] >= version else None

    row: dict[str, Any] = eventually(found, f"version {version} of {name} is applied")
    return row


def test_a_report_says_how_each_breaker_stands(
    server: ConsoleServer, manager: CircuitBreakerManager, console: OpsConsole
) -> None:
    breaker = manager.create_breaker("yahoo_finance", CircuitConfig(failure_threshold=1, timeout_seconds=30))
    trip(breaker)
    with pytest.raises(CircuitBreakerOpenError):
        breaker.call_sync(str)
    eventually(lambda: server.breakers.seen("yahoo_finance"))
    report = server.breakers.reports[-1]
    assert (report["name"], report["instance"], report["dropped"]) == ("AAPL", console.instance, 0)
    (row,) = report["breakers"]
    assert (row["state"], row["forced"], row["generation"]) == ("OPEN", None, 1)
    assert row["config"] == row["own_config"] == breaker.own_config.as_dict()
    assert row["counts"]["failure"] == 1
    assert row["last_failure"].keys() == {"type", "text", "ago_s"}
    (sent,) = server.breakers.transitions.values()
    assert (sent["seq"], sent["why"], sent["cause"]) == (
        1,
        "failure_threshold",
        {"type": "ValueError", "text": "no"},
    )
    assert 0 <= sent["ago_s"] < 20


def test_an_operators_word_takes_effect_and_is_acknowledged(
    server: ConsoleServer, manager: CircuitBreakerManager
) -> None:
    board, breaker = server.breakers, manager.create_breaker("b", ONE)
    trip(breaker)
    assert in_force(server, "b", board.reset("b"))["state"] == "CLOSED"
    row = in_force(server, "b", board.say("b", config={"failure_threshold": 3, "timeout_seconds": 5}))
    assert (row["config"]["failure_threshold"], row["own_config"]["failure_threshold"]) == (3, 1)
    hold = {"state": "OPEN", "by": "sam", "reason": "why", "left_s": None}
    row = in_force(server, "b", board.say("b", hold=hold))
    assert (row["state"], row["forced"]) == ("OPEN", "OPEN")
    row = in_force(server, "b", board.say("b", hold={**hold, "state": "CLOSED"}))
    assert (row["state"], row["forced"]) == ("CLOSED", "CLOSED")
    row = in_force(server, "b", board.say("b", hold=None, config=None))
    assert (row["forced"], row["config"]) == (None, row["own_config"])
    assert [why for _, _, why in board.seen("b")] == [
        "failure_threshold",
        "reset",
        "force_open",
        "force_closed",
    ]


def test_a_hold_ends_by_itself_while_the_console_is_away(
    server: ConsoleServer, manager: CircuitBreakerManager
) -> None:
    breaker = manager.create_breaker("b", ONE)
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
    manager = CircuitBreakerManager(console=console)
    breaker = manager.create_breaker("b", ONE)
    breaker.add_listener(told.append)
    assert breaker.config.timeout_seconds == 5
    trip(breaker)
    server.cut_streams()  # all is said again
    eventually(lambda: len(server.streams) == 2)
    in_force(server, "b", board.say("b", config={"timeout_seconds": 6}))
    assert [transition.why for transition in told] == ["failure_threshold"]
    in_force(server, "b", board.reset("b"))
    assert breaker.state == "CLOSED"


def test_a_breaker_that_the_console_no_longer_speaks_of_is_its_own(
    server: ConsoleServer, manager: CircuitBreakerManager
) -> None:
    breaker = manager.create_breaker("b", ONE)
    in_force(server, "b", server.breakers.say("b", config={"failure_threshold": 3}))
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
    manager: CircuitBreakerManager,
    caplog: pytest.LogCaptureFixture,
    data: bytes,
) -> None:
    breaker = manager.create_breaker("b", ONE)
    server.streams[0].raw.append(data)
    eventually(lambda: "the console's" in caplog.text)
    server.wait_acked(server.halt())
    assert not KillSwitch(console).is_trading_allowed()
    server.breakers.version = 10
    in_force(server, "b", server.breakers.say("b", config={"failure_threshold": 3}))
    assert breaker.config.failure_threshold == 3
    assert len(server.streams) == 1


def test_transitions_of_the_time_without_a_console_arrive_later_with_their_ages(
    server: ConsoleServer, manager: CircuitBreakerManager
) -> None:
    breaker = manager.create_breaker("b", ONE)
    eventually(lambda: server.breakers.reports)
    server.stop()
    for _ in range(150):
        trip(breaker)
        breaker.reset()
    eventually(lambda: manager.problem)
    server.start()
    seen = eventually(lambda: len(server.breakers.transitions) == 300 and server.breakers.seen("b"))
    assert seen == [("CLOSED", "OPEN", "failure_threshold"), ("OPEN", "CLOSED", "reset")] * 150
    assert sorted(number for _, number in server.breakers.transitions) == list(range(1, 301))
    assert manager.problem == ""


def test_a_lost_answer_counts_nothing_twice(server: ConsoleServer, manager: CircuitBreakerManager) -> None:
    lost: list[int] = []

    def lose(handler: Any, path: str, data: dict[str, Any]) -> bool:
        if path != "circuit-breaker-reports" or not data["transitions"] or len(lost) == 2:
            return False
        server.breakers.take(data)
        lost.append(data["transitions"][0]["seq"])
        handler.close_connection = True
        return True

    server.post_answer = lose
    breaker = manager.create_breaker("b", ONE)
    trip(breaker)
    breaker.reset()
    eventually(lambda: len(server.breakers.seen("b")) == 2 and len(lost) == 2)
    assert lost == [1, 1]


@pytest.mark.parametrize("status", [400, 401, 404, 413, 500])
def test_a_console_that_refuses_reports_is_said_once_and_holds_up_nothing(
    server: ConsoleServer, manager: CircuitBreakerManager, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    server.post_answer = answer(status)
    breaker = manager.create_breaker("b", ONE)
    for _ in range(5):
        trip(breaker)
        breaker.reset()
    said = "given up" if status == 400 else "wait for the console"
    eventually(lambda: said in caplog.text)
    assert caplog.text.count("wait for the console") <= 1


def test_too_many_waiting_transitions_are_counted_not_kept() -> None:
    waiting = Waiting(most=3)
    transitions = [
        Transition(str(number), "CLOSED", "OPEN", "reset", 0.0, 0.0)  # type: ignore[arg-type]  # words will do
        for number in range(6)
    ]
    waiting.add(transitions[0])
    assert [number for number, _ in waiting.next()] == [1], "it is on its way"
    for transition in transitions[1:]:
        waiting.add(transition)
    assert waiting.dropped == 2
    batch = waiting.next(2)
    assert [(number, one.breaker) for number, one in batch] == [(1, "0"), (2, "3")]
    waiting.taken(2)
    assert [(number, one.breaker) for number, one in waiting.next()] == [(3, "4"), (4, "5")]


def test_only_with_the_lease_of_the_console_a_shared_breaker_is_tried(
    server: ConsoleServer, manager: CircuitBreakerManager
) -> None:
    board, breaker = server.breakers, manager.create_breaker("b", CircuitConfig(success_threshold=1))
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


def test_a_process_without_a_stream_follows_by_its_reports(
    server: ConsoleServer, streamless: CircuitBreakerManager
) -> None:
    server.breakers.say("b", config={"failure_threshold": 1})
    breaker = streamless.create_breaker("b")
    eventually(lambda: breaker.config.failure_threshold == 1)
    assert server.breakers.reports[0]["name"] == "worker"
    version = server.breakers.say("b", hold={"state": "CLOSED", "by": "", "reason": "", "left_s": None})
    trip(breaker)  # its report is answered with the hold
    assert in_force(server, "b", version)["forced"] == "CLOSED"
    assert streamless.create_breaker("b") is breaker


def test_a_console_that_is_made_later_takes_care_of_the_breakers(
    server: ConsoleServer, streamless: CircuitBreakerManager, connect: Callable[..., OpsConsole]
) -> None:
    breaker = streamless.create_breaker("b", ONE)
    trip(breaker)
    eventually(lambda: server.breakers.seen("b"))
    console = connect()
    version = server.breakers.reset("b")
    in_force(server, "b", version)
    assert breaker.state == "CLOSED"
    assert server.breakers.reports[-1]["instance"] == console.instance


def test_a_manager_that_was_there_first_finds_the_console(
    server: ConsoleServer, connect: Callable[..., OpsConsole]
) -> None:
    breaker = CircuitBreakerManager().create_breaker("b", ONE)
    console = connect()
    trip(breaker)
    eventually(lambda: server.breakers.seen("b"))
    console.close()
    breaker.reset()
    trip(breaker)
    assert breaker.state == "OPEN", "it works on by itself"


def test_two_managers_cannot_have_a_breaker_of_one_name(
    server: ConsoleServer, manager: CircuitBreakerManager, console: OpsConsole
) -> None:
    breaker: CircuitBreaker | None = manager.create_breaker("b", ONE)
    with pytest.raises(ConfigurationError, match="name 'b' is that of another breaker of this process"):
        CircuitBreakerManager(console=console).create_breaker("b", ONE)
    assert breaker is not None


def test_what_waits_is_sent_when_the_console_is_closed(
    server: ConsoleServer, manager: CircuitBreakerManager, console: OpsConsole
) -> None:
    breaker = manager.create_breaker("b", ONE)
    trip(breaker)
    console.close()
    assert server.breakers.seen("b")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_reports_as_a_process_of_its_own_and_obeys_the_same_holds(
    server: ConsoleServer, manager: CircuitBreakerManager, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    breaker = manager.create_breaker("b", ONE)
    trip(breaker)
    in_force(
        server,
        "b",
        server.breakers.say("b", hold={"state": "OPEN", "by": "sam", "reason": "", "left_s": None}),
    )

    def work() -> bool:
        with pytest.raises(CircuitBreakerOpenError, match="held open by sam"):
            breaker.call_sync(str)
        eventually(lambda: breaker.forced is None and breaker.state == "HALF_OPEN")
        breaker.call_sync(str)
        breaker.call_sync(str)
        eventually(lambda: not breaker.keeper._sink.reporter.waiting)  # type: ignore[union-attr]
        return breaker.state == "CLOSED"

    pid = in_child(work)
    eventually(lambda: len({report["instance"] for report in server.breakers.reports}) == 2)
    server.breakers.say("b", hold=None)
    assert exit_code(pid) == 0
    childs = {row["seq"]: row["why"] for (instance, _), row in server.breakers.transitions.items()
              if instance == server.breakers.reports[-1]["instance"]}  # fmt: skip
    assert "release" in childs.values()
    assert len({instance for instance, _ in server.breakers.transitions}) == 2
