"""A real Prometheus with the files of `deploy/` reads the console itself while two trading processes report."""

from pathlib import Path

from opsconsole.accounts.roles import Role
from opsconsole.embedded.processes import wait_until
from tests.cast import account, token_of
from tests.console import ConsoleProcess
from tests.deploy import files, promql, stack
from tests.deploy.reporting import reporting

PATIENCE = 60.0


def test_every_expression_finds_data(console: ConsoleProcess, tmp_path: Path) -> None:
    """In all panels, annotations, rules and examples of the guide; and Prometheus has to bring the token."""
    token = token_of(account("prometheus", Role.TRADING_SYSTEM, is_service=True))
    waiting = {
        str(expression): promql.without_comparison(promql.filled_in(expression.text))
        for expression in files.every_expression()
    }
    assert waiting
    with (
        reporting(console.url, token),
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
