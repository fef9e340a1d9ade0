"""A real Prometheus with the files of `deploy/` reads the console itself while the demo trades."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.utils import timezone

from monitoring.health.watchdog import canaries
from monitoring.models import Trigger
from opsconsole.accounts.roles import Role
from opsconsole.embedded.processes import wait_until
from tests.cast import account, token_of
from tests.console import ConsoleProcess
from tests.deploy import files, promql, stack
from tests.deploy.reporting import reporting
from tests.health.looking import component, found

PATIENCE = 60.0
ROOT = Path(__file__).parents[2]
# What the demo's traders do not have, and what takes hours to be known.
NOT_IN_THE_DEMO = ("ai_cost_usd_total",)


@contextmanager
def demo_trading(folder: Path, url: str, token: str) -> Iterator[None]:
    """Through the autumn of 2008, again and again. The triggers that would stop it there are off."""
    Trigger.objects.update(enabled=False)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "demo", "--data", str(folder)),
            *("--from", "2008-09-15", "--day-seconds", "0.2"),
        ],
        cwd=ROOT,
        env=os.environ | {"OPSCLIENT_URL": url, "OPSCLIENT_TOKEN": token},
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def test_every_expression_finds_data(console: ConsoleProcess, tmp_path: Path) -> None:
    """In all panels, annotations, rules and examples of the guide; and Prometheus has to bring the token."""
    token = token_of(account("prometheus", Role.TRADING_SYSTEM, is_service=True))
    waiting = {
        str(expression): promql.without_comparison(promql.filled_in(expression.text))
        for expression in files.every_expression()
    }
    assert waiting
    # The tests' console does not look at itself, and has no worker.
    found(component(interval_seconds=3600), "healthy", now=timezone.now())
    assert canaries.fly(sent_at=timezone.now(), worker="console@host", now=timezone.now())
    with (
        demo_trading(tmp_path / "demo", console.url, token),
        reporting(console.url, token, *NOT_IN_THE_DEMO),
        stack.running(tmp_path, target=f"127.0.0.1:{console.port}", token=token) as prometheus,
    ):

        def all_found() -> bool:
            for where in [where for where, text in waiting.items() if prometheus.finds(text)]:
                del waiting[where]
            return not waiting

        wait_until(all_found, seconds=PATIENCE, interval=1)
        assert list(waiting) == []
        assert prometheus.values('up{job="opsconsole"}') == [1.0]


def test_without_the_token_nothing_is_read(console: ConsoleProcess, tmp_path: Path) -> None:
    with stack.running(tmp_path, target=f"127.0.0.1:{console.port}", token="ops_wrong") as prometheus:
        up = 'up{job="opsconsole"}'
        assert wait_until(lambda: prometheus.values(up) == [0.0], seconds=PATIENCE, interval=0.5)
