"""From a loss in a trading process to its stop, in whole: a real client, a real web process, and the triggers that a console begins with."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from killswitch.choices import Mode, Reason
from killswitch.models import Activation
from killswitch.state import GLOBAL
from monitoring.triggers.choices import Condition
from monitoring.triggers.models import TriggerState
from opsconsole.accounts.models import User
from tests.cast import token_of
from tests.console import ConsoleProcess

ROOT = Path(__file__).parents[2]


class TradingProcess:
    """`bench.breach_trader`, which follows the console, reports to it, and says when it was stopped."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.breach_trader", "--name", "desk"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | environ,
        )

    def ask(self, do: str, *, loss: float = 0) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        what = {"portfolio": {"value_usd": 1_000_000, "daily_pnl_usd": -loss}}
        print(json.dumps({"do": do, **what}), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        self._process.communicate(timeout=10)


@pytest.fixture
def desk(console: ConsoleProcess, trader: User, tmp_path: Path) -> Iterator[TradingProcess]:
    """It trades. The web process is new, and gone afterwards: one that knows of a stop still tells the next test's processes of it."""
    console.restart()
    process = TradingProcess(
        {
            "OPSCLIENT_URL": console.url,
            "OPSCLIENT_TOKEN": token_of(trader),
            "OPSCLIENT_SPOOL_DIR": str(tmp_path),
        }
    )
    try:
        process.ask("trade")
        yield process
    finally:
        process.close()
        console.kill()


def conditions() -> set[str]:
    """Of the daily loss in dollars; that in percent is far from its limit here."""
    return set(
        TriggerState.objects.filter(trigger__name="daily-loss-usd").values_list("condition", flat=True)
    )


def test_a_loss_beyond_the_limit_stops_the_process_once_it_is_confirmed(desk: TradingProcess) -> None:
    assert desk.ask("report", loss=19_999) == {"reported": True}
    assert conditions() == {Condition.CLEAR}
    assert desk.ask("report", loss=20_500) == {"reported": True}
    assert conditions() == {Condition.CONFIRMING}
    assert not Activation.objects.exists()
    heard = desk.ask("breach", loss=20_600)
    assert heard["heard"] > heard["called"]
    stop = Activation.objects.get()
    assert (stop.scope, stop.mode, stop.reason) == (GLOBAL, Mode.HALTED, Reason.DAILY_LOSS_LIMIT)
    assert (stop.activated_by, stop.metadata["trigger"]) == ("triggers", "daily-loss-usd")
    assert stop.drill is False
    assert conditions() == {Condition.TRIPPED}


def test_a_loss_beyond_the_second_threshold_stops_it_at_once(desk: TradingProcess) -> None:
    assert desk.ask("report", loss=0) == {"reported": True}
    desk.ask("breach", loss=30_000)
    stop = Activation.objects.get()
    assert (stop.activated_by, stop.reason) == ("triggers", Reason.DAILY_LOSS_LIMIT)
