"""Alerts and the console: its decision comes back, each is taken exactly once, and whoever raises one is not held up."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from opsclient import ConfigurationError, OpsConsole
from opsclient.smart_alerts import AlertCategory, AlertDecision, AlertPriority, SmartAlertManager

from tests.client.console_server import ConsoleServer

Make = Callable[..., SmartAlertManager]


# Refusals


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"quiet_hours_start": 24}, "quiet_hours_start"),
        ({"quiet_hours_end": None}, "quiet_hours_end"),
        ({"name": "x" * 65}, "name must have 1 to 64"),
        ({"spool_alerts": 0}, "spool_alerts"),
        ({"spool_bytes": 1.5}, "spool_bytes"),
        ({"wait_s": -1}, "wait_s"),
    ],
)
def test_arguments_that_cannot_be_are_refused_by_name(manage: Make, arguments: Any, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        manage(**arguments)


def test_a_bad_address_in_the_environment_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSCLIENT_URL", "http://user:secret@127.0.0.1")
    with pytest.raises(ConfigurationError, match="OPSCLIENT_URL must not contain") as caught:
        SmartAlertManager()
    assert "secret" not in str(caught.value)


def test_an_unknown_category_is_refused_before_anything_is_sent(
    manager: SmartAlertManager, server: ConsoleServer
) -> None:
    with pytest.raises(ConfigurationError, match="category must be one of SYSTEM_ERROR"):
        manager.send_alert_sync("WEATHER", "rain")
    assert manager.flush()
    assert server.posts == []


def test_without_a_console_it_says_that_nothing_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    with SmartAlertManager() as manager:
        for _ in range(2):
            result = manager.alert_critical_error_sync("Database connection lost")
        assert "no console" in repr(manager)
        assert "OPSCLIENT_URL" in manager.problem
    assert (result.decision, result.sent, result.queued, bool(result)) == (
        AlertDecision.UNSENT,
        False,
        False,
        False,
    )
    assert "OPSCLIENT_URL" in result.reason
    assert caplog.text.count("alerts do not reach a console") == 1


def test_after_close_it_says_that_nothing_was_sent(manager: SmartAlertManager) -> None:
    manager.close()
    result = manager.alert_critical_error_sync("too late")
    assert (result.decision, result.reason) == (AlertDecision.UNSENT, "not sent: this manager is closed")


# Decisions


def test_the_consoles_decision_comes_back(manager: SmartAlertManager, server: ConsoleServer) -> None:
    result = manager.send_alert_sync(
        AlertCategory.DATA_QUALITY,
        "Prices are 40 s old",
        priority=AlertPriority.HIGH,
        title="Prices are stale",
        labels={"feed": "yahoo"},
        details={"age_s": 40},
        force=True,
        dedupe_key="stale-yahoo",
    )
    assert result
    assert (result.decision, result.sent, result.queued, result.sent_directly) == (
        AlertDecision.SENT,
        True,
        False,
        False,
    )
    assert (result.alert_id, result.trace) == (1, ({"gate": "force", "passed": True, "forced": True},))
    (sent,) = server.alerts
    assert sent.pop("occurred_at").endswith("Z")
    assert sent == {
        "category": "DATA_QUALITY",
        "priority": "HIGH",
        "title": "Prices are stale",
        "message": "Prices are 40 s old",
        "labels": {"feed": "yahoo"},
        "details": {"age_s": 40, "client": "desk"},
        "force": True,
        "dedupe_key": "stale-yahoo",
    }


@pytest.mark.parametrize(
    "decision", [member for member in AlertDecision if member.name in "DEDUPED SILENCED QUIET_HOURS"]
)
def test_what_the_console_holds_back_is_false(
    manager: SmartAlertManager, server: ConsoleServer, decision: AlertDecision
) -> None:
    server.decision = decision
    result = manager.alert_trading_signal_sync("AAPL", "BUY", 0.85)
    assert (result.decision, bool(result), result.queued) == (decision, False, False)
    assert result.reason


def test_every_method_has_a_twin_without_a_loop(manager: SmartAlertManager, server: ConsoleServer) -> None:
    calls: list[tuple[str, tuple[Any, ...]]] = [
        ("alert_critical_error", ("Database connection lost",)),
        ("alert_trading_signal", ("AAPL", "BUY", 0.85)),
        ("alert_risk_warning", ("TSLA", "volatility", 0.9, "too much")),
        ("alert_portfolio_update", (-120.0, 10_000.0)),
        ("alert_data_quality", ("yahoo", "stale")),
        ("alert_cost", ("claude", 12.0, 10.0)),
        ("alert_performance", ("gateway", "p95 latency", 840, 500, "ms")),
        ("send_alert", (AlertCategory.PERFORMANCE, "slow")),
        ("resolve", (AlertCategory.PERFORMANCE, "slow no more")),
    ]

    async def all_of_them() -> list[Any]:
        return [await getattr(manager, name)(*arguments) for name, arguments in calls]

    def without_time(alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**alert, "occurred_at": ""} for alert in alerts]

    awaited = asyncio.run(all_of_them())
    first, server.alerts = server.alerts, []
    plain = [getattr(manager, f"{name}_sync")(*arguments) for name, arguments in calls]
    assert [result.decision for result in awaited] == [result.decision for result in plain]
    assert without_time(first) == without_time(server.alerts)
    assert len(first) == len(calls)
    public = {name for name in dir(SmartAlertManager) if name.startswith(("alert_", "send_", "resolve"))}
    assert public == {name for called, _ in calls for name in (called, f"{called}_sync")}


def test_an_end_has_the_name_of_its_beginning(manager: SmartAlertManager, server: ConsoleServer) -> None:
    warning = manager.alert_risk_warning_sync("TSLA", "volatility", 0.9, "too much")
    manager.resolve_sync(warning, "calm again")
    manager.send_alert_sync("PERFORMANCE", "slow", dedupe_key="k")
    result = manager.resolve_sync("PERFORMANCE", dedupe_key="k")
    began, ended, _, keyed = server.alerts
    assert ended["resolved"] is True
    assert "resolved" not in began
    assert [ended[name] for name in ("category", "title", "labels")] == [
        began[name] for name in ("category", "title", "labels")
    ]
    assert (keyed["dedupe_key"], result.decision, bool(result)) == ("k", AlertDecision.RESOLVED, False)


# Which console


def test_it_takes_this_process_own_console(
    connect: Callable[..., OpsConsole], server: ConsoleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SmartAlertManager() as manager:
        assert not manager.alert_data_quality_sync("yahoo", "stale")
        connect(name="IBM")  # made later than the manager
        assert manager.alert_data_quality_sync("yahoo", "stale")
    assert len(server.alerts) == 1
    monkeypatch.setenv("OPSCLIENT_URL", "http://127.0.0.1:9")  # the process' own console goes first
    with SmartAlertManager() as manager:
        assert manager.alert_data_quality_sync("yahoo", "stale")
    assert server.alerts[1]["details"]["client"] == "IBM"


def test_a_closed_console_is_not_taken(console: OpsConsole, connect: Callable[..., OpsConsole]) -> None:
    newer = connect(name="IBM")
    assert OpsConsole.current() is newer
    newer.close()
    assert OpsConsole.current() is console
    console.close()
    assert OpsConsole.current() is None


def test_no_secret_is_told(manage: Make, server: ConsoleServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    manager = manage()
    server.stop()
    result = manager.alert_data_quality_sync("yahoo", "stale")
    told = " ".join([repr(manager), repr(result), result.reason, caplog.text, manager.problem])
    assert result.queued
    assert "no answer from" in told
    assert "sesame" not in told
