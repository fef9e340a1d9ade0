"""Alerts of opsclient on a real console: what a trading process says is what the console stores, once, whatever fails."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opsclient.smart_alerts import AlertCategory, AlertDecision, AlertPriority, AlertRule, SmartAlertManager

from alerts.choices import AlertState, Decision
from alerts.models import Alert
from alerts.models import AlertRule as Rule
from alerts.services import rules
from opsconsole.accounts.roles import Role
from tests.cast import ROOT, account, token_of
from tests.console import ConsoleProcess

Make = Callable[..., SmartAlertManager]


@pytest.fixture
def manage(console: ConsoleProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes managers of alerts with this console, for accounts with a role. There are no quiet hours."""
    made: list[SmartAlertManager] = []
    tokens: dict[Role, str] = {}
    monkeypatch.setenv("OPSCLIENT_URL", console.url)
    monkeypatch.setenv("OPSCLIENT_SPOOL_DIR", str(tmp_path / "spool"))

    def make(role: Role = Role.TRADING_SYSTEM, **arguments: Any) -> SmartAlertManager:
        if role not in tokens:
            tokens[role] = token_of(account(f"process-{role}", role, is_service=True))
        monkeypatch.setenv("OPSCLIENT_TOKEN", tokens[role])
        # A busy machine may take its time; the decision is what these tests are about.
        manager = SmartAlertManager(**{"name": "AAPL", "wait_s": 20.0, **arguments})
        made.append(manager)
        return manager

    make(Role.VIEWER).close()  # the rows of the migrations are there from here on
    for category in AlertCategory:
        rules.change(
            actor=ROOT, category=category, values={"quiet_start": 0, "quiet_end": 0}, reason="a test by night"
        )
    yield make
    for manager in made:
        manager.close(timeout=0.2)


def test_who_may_not_raise_alerts_is_told_so_and_keeps_them(manage: Make) -> None:
    result = manage(Role.VIEWER).alert_data_quality_sync("yahoo", "stale")
    assert result.queued
    assert "403" in result.reason
    assert not Alert.objects.exists()


def test_the_alerts_of_the_guide_are_decided_and_answered(manage: Make) -> None:
    manager = manage()

    async def guide() -> list[Any]:
        return [
            await manager.alert_critical_error(
                error="Database connection lost", details={"database": "timescaledb", "retry_count": 3}
            ),
            await manager.alert_trading_signal(
                ticker="AAPL", signal="BUY", confidence=0.85, details={"target_price": 195.00}
            ),
            await manager.alert_risk_warning(
                ticker="TSLA",
                risk_type="volatility",
                risk_score=0.9,
                message="Volatility exceeded 50% threshold",
            ),
            await manager.alert_trading_signal(ticker="AAPL", signal="BUY", confidence=0.9),
        ]

    *first, again = asyncio.run(guide())
    assert [result.decision for result in first] == [AlertDecision.SENT] * 3
    assert all(first)
    assert (again.decision, bool(again)) == (AlertDecision.DEDUPED, False)
    assert "the same alert" in again.reason
    assert again.trace[-1]["gate"] == "dedupe"
    error, signal, risk = Alert.objects.order_by("id")
    assert [error.pk, signal.pk, risk.pk, signal.pk] == [result.alert_id for result in (*first, again)]
    assert (error.title, error.category, error.priority, error.forced) == (
        "Database connection lost",
        "SYSTEM_ERROR",
        "CRITICAL",
        True,
    )
    assert error.details == {"database": "timescaledb", "retry_count": 3, "client": "AAPL"}
    assert (signal.count, signal.priority, signal.labels) == (
        2,
        "MEDIUM",
        {"ticker": "AAPL", "signal": "BUY"},
    )
    assert (risk.priority, risk.message) == ("HIGH", "Volatility exceeded 50% threshold")


def test_an_end_ends_the_incident(manage: Make) -> None:
    manager = manage()
    warning = manager.alert_risk_warning_sync("TSLA", "volatility", 0.9, "53%, limit 50%")
    ended = manager.resolve_sync(warning, "calm again")
    assert (ended.decision, ended.alert_id, ended.reason) == (
        AlertDecision.RESOLVED,
        warning.alert_id,
        "resolved",
    )
    assert Alert.objects.get().state == AlertState.RESOLVED
    assert manager.resolve_sync(warning).reason == "there was nothing to resolve"


def test_whatever_a_process_says_is_taken(manage: Make) -> None:
    texts = [
        "\x00\x1b[1m",
        "\u202eabc",
        "a" * 9000,
        "<b>&amp;</b>",
        "line\r\nline",
        "\ud800",
        "{}",
        "𝄞" * 300,
    ]
    details = {text: {"deep": [text, float("nan"), 2**70, None]} for text in texts}
    manager = manage()
    for text in texts:
        result = manager.send_alert_sync(
            AlertCategory.DATA_QUALITY,
            text,
            title=text,
            labels={text: text, "number": 7},
            details=details,
            dedupe_key=text,
        )
        assert result.alert_id is not None, (text, result.reason)


def test_a_rule_is_changed_by_who_may(manage: Make) -> None:
    wish = AlertRule(AlertCategory.TRADING_SIGNAL, AlertPriority.HIGH, 10, 30)
    trading = manage()
    assert not trading.update_rule(wish)
    assert "below the minimum" in trading.alert_trading_signal_sync("AAPL", "BUY").reason
    assert Rule.objects.get(category="TRADING_SIGNAL").min_priority == "LOW"
    supervisor = manage(Role.SUPERVISOR)
    assert supervisor.update_rule(wish)
    rule = Rule.objects.get(category="TRADING_SIGNAL")
    assert (rule.min_priority, rule.max_per_hour, rule.dedupe_window_minutes) == ("HIGH", 10, 30)
    assert supervisor.alert_trading_signal_sync("AAPL", "BUY").decision is AlertDecision.BELOW_MINIMUM


def test_what_was_sent_directly_while_the_console_was_away_is_marked(
    manage: Make, console: ConsoleProcess
) -> None:
    sent: list[str] = []
    manager = manage(telegram_bot=sent.append)
    console.kill()
    critical = manager.alert_critical_error_sync("Venue lost")
    warning = manager.alert_risk_warning_sync("TSLA", "volatility", 0.9)
    assert (critical.queued, critical.sent_directly, warning.queued) == (True, True, True)
    console.start()
    assert manager.flush(60)
    told, waited = Alert.objects.order_by("id")
    assert (told.title, told.sent_directly, waited.sent_directly) == ("Venue lost", True, False)
    assert told.starts_at < told.first_at
    assert len(sent) == 1


def test_each_is_counted_once_though_the_console_is_killed_again_and_again(
    manage: Make, console: ConsoleProcess
) -> None:
    manager = manage(wait_s=0.0)
    ended = threading.Event()

    def raise_many() -> None:
        for number in range(600):
            manager.send_alert_sync(AlertCategory.PERFORMANCE, "slow", title=f"Part {number % 3} is slow")
            ended.wait(0.002)

    thread = threading.Thread(target=raise_many)
    thread.start()
    for _ in range(3):
        ended.wait(0.3)
        console.kill()
        console.start()
    thread.join(60)
    assert manager.flush(120)
    assert list(Alert.objects.order_by("title").values_list("title", "count")) == [
        (f"Part {number} is slow", 200) for number in range(3)
    ]
    assert Alert.objects.filter(decision=Decision.DEDUPED).count() == 3
