"""The breakers of one process: made once, without a console, with an alert manager, after a fork."""

import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opsclient.alerts.choices import AlertCategory
from opsclient.circuit_breaker import (
    CircuitBreakerManager,
    CircuitBreakerOpenError,
    CircuitConfig,
    Transition,
)
from opsclient.errors import ConfigurationError

from tests.client.breaker_calls import ONE, fail, trip
from tests.client.console_server import ConsoleServer, eventually
from tests.client.test_fork import exit_code, held_by_another_thread, in_child


class Alerts:
    """Takes alerts as a SmartAlertManager does."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.resolved: list[tuple[Any, ...]] = []

    async def send_alert(self, **alert: Any) -> None:
        self.sent.append(alert)

    async def resolve(self, category: str, message: str, *, title: str, labels: dict[str, str]) -> None:
        self.resolved.append((category, title, labels))


def test_bad_names_configs_and_alert_managers_are_refused() -> None:
    manager = CircuitBreakerManager()
    with pytest.raises(ConfigurationError, match="name"):
        manager.create_breaker("")
    with pytest.raises(ConfigurationError, match="config"):
        manager.create_breaker("a", {"failure_threshold": 1})  # type: ignore[arg-type]  # that is the point
    assert manager.all() == []
    with pytest.raises(ConfigurationError, match="alert_manager"):
        CircuitBreakerManager(alert_manager=object())


def test_the_same_name_is_the_same_breaker() -> None:
    manager = CircuitBreakerManager()
    breaker = manager.create_breaker("yahoo_finance", ONE)
    assert manager.create_breaker("yahoo_finance", CircuitConfig(failure_threshold=1)) is breaker
    assert manager.create_breaker("yahoo_finance") is breaker
    with pytest.raises(ConfigurationError, match="config differs from that of the breaker 'yahoo_finance'"):
        manager.create_breaker("yahoo_finance", CircuitConfig())
    with pytest.raises(ConfigurationError, match="fallback differs"):
        manager.create_breaker("yahoo_finance", fallback=fail)


def test_breakers_are_found_and_reset_by_name() -> None:
    manager = CircuitBreakerManager()
    told: list[Transition] = []
    first, second = (manager.create_breaker(name, ONE) for name in ("yahoo_finance", "sec_edgar"))
    manager.add_listener(told.append)
    for breaker in (first, second, manager.create_breaker("claude_api", ONE)):
        trip(breaker)
    assert manager.get("sec_edgar") is second
    assert manager.get("sec") is None
    with pytest.raises(KeyError, match="no circuit breaker 'yahoo_finanze'; there is 'yahoo_finance'"):
        manager.reset("yahoo_finanze")
    manager.reset("yahoo_finance")
    assert [breaker.state for breaker in manager.all()] == ["CLOSED", "OPEN", "OPEN"]
    manager.reset_all()
    assert {status["state"] for status in manager.get_status().values()} == {"CLOSED"}
    assert [transition.breaker for transition in told[:3]] == ["yahoo_finance", "sec_edgar", "claude_api"]


def test_without_a_console_there_are_no_threads() -> None:
    before = set(threading.enumerate())
    trip(CircuitBreakerManager().create_breaker("b", ONE))
    assert set(threading.enumerate()) == before


def test_an_opening_is_an_alert_and_a_closing_ends_it() -> None:
    alerts = Alerts()
    breaker = CircuitBreakerManager(alert_manager=alerts).create_breaker("yahoo_finance", ONE)
    trip(breaker)
    breaker.reset()
    eventually(lambda: alerts.resolved)
    (alert,) = alerts.sent
    assert alert["category"] is AlertCategory.SYSTEM_ERROR
    assert alert["title"] == "Circuit breaker yahoo_finance is open"
    assert alert["labels"] == {"breaker": "yahoo_finance"}
    assert alert["message"] == "Its calls are rejected (failure_threshold). ValueError: no"
    assert alert["details"]["counts"]["failure"] == 1
    assert alerts.resolved == [(alert["category"], alert["title"], alert["labels"])]


def test_with_a_console_the_console_raises_the_alert(
    server: ConsoleServer, connect: Callable[..., Any]
) -> None:
    alerts = Alerts()
    breaker = CircuitBreakerManager(alert_manager=alerts, console=connect()).create_breaker("b", ONE)
    trip(breaker)
    eventually(lambda: server.breakers.seen("b"))
    assert alerts.sent == []


def test_an_alert_manager_that_hangs_holds_up_no_call() -> None:
    go_on, told = threading.Event(), threading.Event()

    class Hanging:
        def alert_critical_error(self, **_: object) -> None:
            go_on.wait(10)
            told.set()

    trip(CircuitBreakerManager(alert_manager=Hanging()).create_breaker("b", ONE))
    assert not told.is_set()
    go_on.set()
    assert told.wait(10)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_keeps_what_is_open_and_counts_for_itself() -> None:
    manager = CircuitBreakerManager()
    is_open, closed = manager.create_breaker("open", ONE), manager.create_breaker("closed")
    trip(is_open)
    closed.call_sync(str)

    def work() -> bool:
        with pytest.raises(CircuitBreakerOpenError):
            is_open.call_sync(str)
        closed.call_sync(str)
        counts = [breaker.get_status()["counts"] for breaker in (is_open, closed)]
        is_open.reset()
        return (
            counts[0]["failure"] == 0
            and counts[0]["rejected"] == counts[1]["success"] == 1
            and is_open.state == "CLOSED"
        )

    with held_by_another_thread(closed.keeper._lock):
        pid = in_child(work)
    assert exit_code(pid) == 0
    assert is_open.state == "OPEN"
