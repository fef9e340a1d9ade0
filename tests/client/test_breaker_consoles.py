"""Which console breakers are tied to: one that comes later, that of the environment, that of a forked child."""

import logging
import os
from collections.abc import Callable, Iterator
from threading import Thread

import pytest
from opsclient import OpsConsole
from opsclient.breaker import links
from opsclient.breaker.link import Link
from opsclient.circuit_breaker import CircuitBreaker, CircuitBreakerManager, CircuitBreakerOpenError
from opsclient.errors import ConfigurationError

from tests.client.breaker_calls import ONE, trip
from tests.client.console_server import ConsoleServer, eventually
from tests.client.test_fork import exit_code, held_by_another_thread, in_child


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


def test_a_process_without_a_stream_follows_by_its_reports(
    server: ConsoleServer, streamless: CircuitBreakerManager
) -> None:
    server.breakers.say("b", config={"failure_threshold": 1})
    breaker = streamless.create_breaker("b")
    eventually(lambda: breaker.config.failure_threshold == 1)
    assert server.breakers.reports[0]["name"] == "worker"
    version = server.breakers.say("b", hold={"state": "CLOSED", "by": "", "reason": "", "left_s": None})
    trip(breaker)  # its report is answered with the hold
    assert server.wait_applied("b", version)["forced"] == "CLOSED"
    assert streamless.create_breaker("b") is breaker


def test_a_console_that_is_made_later_takes_care_of_the_breakers(
    server: ConsoleServer, streamless: CircuitBreakerManager, connect: Callable[..., OpsConsole]
) -> None:
    breaker = streamless.create_breaker("b", ONE)
    trip(breaker)
    eventually(lambda: server.breakers.seen("b"))
    console = connect()
    version = server.breakers.reset("b")
    server.wait_applied("b", version)
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


def test_a_manager_that_is_made_together_with_the_console_finds_it(
    server: ConsoleServer, connect: Callable[..., OpsConsole], monkeypatch: pytest.MonkeyPatch
) -> None:
    connecting: list[Thread] = []
    find = links.find

    def find_while_another_thread_connects(follower: links.Follower) -> Link | None:
        found = find(follower)
        assert found is None
        connecting.append(Thread(target=connect))
        connecting[0].start()
        eventually(lambda: links._of_consoles)
        return found

    monkeypatch.setattr(links, "find", find_while_another_thread_connects)
    manager = CircuitBreakerManager()
    connecting[0].join(10)
    trip(manager.create_breaker("b", ONE))
    eventually(lambda: server.breakers.seen("b"))


def test_two_managers_cannot_have_a_breaker_of_one_name(
    server: ConsoleServer, breakers: CircuitBreakerManager, console: OpsConsole
) -> None:
    breaker: CircuitBreaker | None = breakers.create_breaker("b", ONE)
    with pytest.raises(ConfigurationError, match="name 'b' is that of another breaker of this process"):
        CircuitBreakerManager(console=console).create_breaker("b", ONE)
    assert breaker is not None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_reports_as_a_process_of_its_own_and_obeys_the_same_holds(
    server: ConsoleServer, breakers: CircuitBreakerManager, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    breaker = breakers.create_breaker("b", ONE)
    trip(breaker)
    server.wait_applied(
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_makes_managers_whatever_the_parents_threads_did() -> None:
    with held_by_another_thread(links._turn.lock):
        pid = in_child(lambda: CircuitBreakerManager().problem == "")
    assert exit_code(pid) == 0
