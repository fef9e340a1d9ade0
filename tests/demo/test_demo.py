"""The demo in whole, on a real console: four processes trade, a stop stops them, and the report finds no order after the bound."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.fleet import wait_until
from demo import journal
from demo.__main__ import main
from killswitch import selectors, services
from killswitch.choices import ProofState
from killswitch.models import Activation
from monitoring.breakers.models import BreakerState, BreakerTransition
from monitoring.models import Series, Trigger
from opsconsole.accounts.roles import Role
from tests.cast import ROOT as SYSTEM
from tests.cast import account, token_of
from tests.console import ConsoleProcess

ROOT = Path(__file__).parents[2]
TICKERS = ["AAPL", "GOOG", "IBM", "MSFT"]


def start(folder: Path, url: str, token: str, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "demo", "--data", str(folder), "--day-seconds", "0.05", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"OPSCLIENT_URL": url, "OPSCLIENT_TOKEN": token},
    )


def orders(folder: Path) -> list[dict[str, Any]]:
    return [record for record in journal.read(folder / "demo" / "venue.jsonl") if record["kind"] == "order"]


def everyone_orders(folder: Path) -> Callable[[], bool]:
    """Whether each trader has ordered since now."""
    before = len(orders(folder))
    return lambda: {order["client"] for order in orders(folder)[before:]} == set(TICKERS)


@pytest.fixture
def console(console: ConsoleProcess) -> ConsoleProcess:
    """A fresh one: the hub of another test may still tell the traders of that test's stop."""
    console.restart()
    return console


@pytest.fixture
def no_triggers(console: ConsoleProcess) -> None:
    """Nobody stops trading but the test: the tape reaches its crash within seconds."""
    del console
    Trigger.objects.update(enabled=False)


def test_without_a_console_it_says_so_and_ends(tmp_path: Path) -> None:
    process = start(tmp_path, "http://127.0.0.1:9", "token")
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert said == "The console does not answer at http://127.0.0.1:9. Start it with script/server.\n"


def test_with_a_wrong_token_it_says_so_and_keeps_it_to_itself(
    console: ConsoleProcess, tmp_path: Path
) -> None:
    process = start(tmp_path, console.url, "wrong-secret")
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "does not accept the token" in said
    assert "wrong-secret" not in said


def test_a_folder_without_a_console_is_named(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OPSCLIENT_")}
    command = [sys.executable, "-m", "demo", "--data", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert str(tmp_path) in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_stops_it_and_the_report_says_so(
    console: ConsoleProcess, no_triggers: None, tmp_path: Path, number: signal.Signals
) -> None:
    token = token_of(account("demo-trading-system", Role.TRADING_SYSTEM, is_service=True))
    process = start(tmp_path, console.url, token)
    try:
        wait_until(everyone_orders(tmp_path), "every trader orders")
        stop = services.activate(actor=SYSTEM, reason="VOLATILITY", message="markets fall").activation
        wait_until(lambda: selectors.status().state == "stopped", "the stop is proven")
        clients = selectors.status().clients
        assert [client.name for client in clients] == TICKERS
        assert {client.proof for client in clients} == {ProofState.ACKED}
        # The callback has taken back every open order, and the console has been told.
        wait_until(
            lambda: all(client.open_orders == 0 for client in selectors.status().clients),
            "no order is left at the venue",
        )
        services.deactivate(actor=SYSTEM, message="calm again")
        wait_until(everyone_orders(tmp_path), "every trader orders again")
    finally:
        process.send_signal(number)
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0, said
    report = json.loads((tmp_path / "demo" / "report.json").read_text())
    assert report["orders_after_bound"] == 0
    assert [seen["activation"] for seen in report["stops"]] == [stop.pk]
    assert set(report["orders"]) == set(report["profits"]) == set(TICKERS)
    assert "Orders that the venue saw after a stop's bound: none" in said
    assert token not in said


def test_it_ends_by_itself_after_the_given_days(console: ConsoleProcess, tmp_path: Path) -> None:
    token = token_of(account("demo-trading-system", Role.TRADING_SYSTEM, is_service=True))
    said, _ = start(tmp_path, console.url, token, "--days", "12").communicate(timeout=40)
    assert "Days played: 12\n" in said
    assert json.loads((tmp_path / "demo" / "report.json").read_text())["stops"] == []


def test_its_processes_end_with_it_even_when_it_is_killed(console: ConsoleProcess, tmp_path: Path) -> None:
    token = token_of(account("demo-trading-system", Role.TRADING_SYSTEM, is_service=True))
    process = start(tmp_path, console.url, token)
    wait_until(everyone_orders(tmp_path), "every trader orders")
    process.kill()
    # Its output ends when the last process that holds it has ended.
    process.communicate(timeout=20)


def test_a_broken_service_opens_its_breakers_and_they_close_when_it_has_healed(
    console: ConsoleProcess, no_triggers: None, tmp_path: Path
) -> None:
    token = token_of(account("demo-trading-system", Role.TRADING_SYSTEM, is_service=True))
    process = start(tmp_path, console.url, token, "--break", "yahoo_finance", "--for", "600")
    breakers = BreakerState.objects.filter(breaker__name="yahoo_finance")
    try:
        wait_until(lambda: breakers.filter(state="OPEN").count() == len(TICKERS), "all are open", seconds=60)
        assert orders(tmp_path) == []
        # As guide §4.1 has them; the others go on.
        names = BreakerState.objects.order_by("breaker__name").values_list("breaker__name", flat=True)
        assert list(names.distinct()) == ["claude_api", "database", "sec_edgar", "yahoo_finance"]
        assert main(["--data", str(tmp_path), "--heal", "yahoo_finance"]) == 0
        wait_until(everyone_orders(tmp_path), "every trader orders", seconds=60)
        wait_until(lambda: breakers.filter(state="CLOSED").count() == len(TICKERS), "all are closed")
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert "yahoo_finance answers with errors for 600 s." in said
    changes = BreakerTransition.objects.filter(breaker__name="yahoo_finance", client="IBM").order_by("seq")
    first, *_, last = changes
    assert (first.to_state, first.why, first.cause_type) == ("OPEN", "failure_threshold", "ServiceError")
    assert (last.to_state, last.why) == ("CLOSED", "probes_succeeded")
    assert not BreakerTransition.objects.exclude(breaker__name="yahoo_finance").exists()


def test_the_crash_of_2008_stops_it_by_the_default_limit_of_loss(
    console: ConsoleProcess, tmp_path: Path
) -> None:
    """Nobody presses anything: the traders report, the trigger trips. `test_book.py` says why on this day and no other."""
    token = token_of(account("demo-trading-system", Role.TRADING_SYSTEM, is_service=True))
    process = start(tmp_path, console.url, token, "--from", "2008-09-15", "--day-seconds", "1.5")
    try:
        wait_until(lambda: selectors.status().state == "stopped", "the trigger stops trading", seconds=90)
        episode = Activation.objects.get()
        # And it has stopped all of it.
        assert {client.proof for client in selectors.status().clients} == {ProofState.ACKED}
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert (episode.reason, episode.activated_by) == ("DAILY_LOSS_LIMIT", "triggers")
    (stop,) = json.loads((tmp_path / "demo" / "report.json").read_text())["stops"]
    assert (stop["date"], stop["orders_after_bound"]) == ("2008-09-29", 0)
    total = sum(Series.objects.filter(name="trades_total").values_list("value", flat=True))
    assert total == sum(json.loads((tmp_path / "demo" / "report.json").read_text())["fills"].values())
