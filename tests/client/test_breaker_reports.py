"""What a console is told of breakers, over real HTTP, and what waits for it while it is away."""

from typing import Any

import pytest
from opsclient import OpsConsole
from opsclient.breaker.report import Waiting
from opsclient.circuit_breaker import (
    CircuitBreakerManager,
    CircuitBreakerOpenError,
    CircuitConfig,
    Transition,
)

from tests.client.answers import answer
from tests.client.breaker_calls import ONE, trip
from tests.client.console_server import ConsoleServer, eventually


def test_a_report_says_how_each_breaker_stands(
    server: ConsoleServer, breakers: CircuitBreakerManager, console: OpsConsole
) -> None:
    breaker = breakers.create_breaker("yahoo_finance", CircuitConfig(failure_threshold=1, timeout_seconds=30))
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


def test_transitions_of_the_time_without_a_console_arrive_later_with_their_ages(
    server: ConsoleServer, breakers: CircuitBreakerManager
) -> None:
    breaker = breakers.create_breaker("b", ONE)
    eventually(lambda: server.breakers.reports)
    server.stop()
    for _ in range(150):
        trip(breaker)
        breaker.reset()
    eventually(lambda: breakers.problem)
    server.start()
    seen = eventually(lambda: len(server.breakers.transitions) == 300 and server.breakers.seen("b"))
    assert seen == [("CLOSED", "OPEN", "failure_threshold"), ("OPEN", "CLOSED", "reset")] * 150
    assert sorted(number for _, number in server.breakers.transitions) == list(range(1, 301))
    assert breakers.problem == ""


def test_a_lost_answer_counts_nothing_twice(server: ConsoleServer, breakers: CircuitBreakerManager) -> None:
    lost: list[int] = []

    def lose(handler: Any, path: str, data: dict[str, Any]) -> bool:
        if path != "circuit-breaker-reports" or not data["transitions"] or len(lost) == 2:
            return False
        server.breakers.take(data)
        lost.append(data["transitions"][0]["seq"])
        handler.close_connection = True
        return True

    server.post_answer = lose
    breaker = breakers.create_breaker("b", ONE)
    trip(breaker)
    breaker.reset()
    eventually(lambda: len(server.breakers.seen("b")) == 2 and len(lost) == 2)
    assert lost == [1, 1]


@pytest.mark.parametrize("status", [400, 401, 404, 413, 500])
def test_a_console_that_refuses_reports_is_said_once_and_holds_up_nothing(
    server: ConsoleServer, breakers: CircuitBreakerManager, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    server.post_answer = answer(status)
    breaker = breakers.create_breaker("b", ONE)
    for _ in range(5):
        trip(breaker)
        breaker.reset()
    said = "its transitions are given up" if status == 400 else "wait for the console"
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


def test_what_waits_is_sent_when_the_console_is_closed(
    server: ConsoleServer, breakers: CircuitBreakerManager, console: OpsConsole
) -> None:
    breaker = breakers.create_breaker("b", ONE)
    trip(breaker)
    console.close()
    assert server.breakers.seen("b")
