"""A pytest plugin: which process of a run takes which file, and how many processes there are.

The dearest files go first, so that no process is left alone with one at the end. A process that has a Chromium running goes on with
the files that need one. There are two processes more than processors, since many tests wait: for a lease to run out, for a program to start.
"""

import os

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

BROWSER = "tests/e2e/"
# Seconds, roughly, of those that take more than a few.
SECONDS = {
    "tests/e2e/test_alerts.py": 60,
    "tests/demo/test_demo.py": 55,
    "tests/e2e/test_access.py": 50,
    "tests/scripts/test_server.py": 50,
    "tests/faults/test_bound.py": 32,
    "tests/e2e/test_metrics.py": 30,
    "tests/e2e/test_stale.py": 30,
    "tests/faults/test_metrics.py": 30,
    "tests/faults/test_health.py": 30,
    "tests/scripts/test_environment.py": 28,
    "tests/faults/test_deliveries.py": 25,
    "tests/deploy/test_commands.py": 25,
    "tests/e2e/test_two_presses.py": 22,
    "tests/e2e/test_breakers.py": 22,
    "tests/triggers/test_breach.py": 20,
    "tests/alerts/alertmanager/test_native.py": 20,
    "tests/e2e/test_incidents.py": 18,
    "tests/client/test_stream_faults.py": 18,
    "tests/live/test_faults.py": 18,
    "tests/e2e/test_today.py": 16,
    "tests/e2e/test_health.py": 15,
    "tests/embedded/test_start.py": 15,
    "tests/metrics/test_exposition_processes.py": 15,
    "tests/alerts/alertmanager/test_prometheus.py": 15,
    "tests/pages/test_breaker.py": 15,
    "tests/audit/test_sealer_process.py": 15,
    "tests/e2e/test_audit.py": 15,
    "tests/alerts/test_client.py": 14,
    "tests/embedded/test_recover.py": 12,
    "tests/scripts/test_manage.py": 12,
    "tests/alerts/delivery/test_wake.py": 12,
    "tests/client/test_orders.py": 11,
    "tests/deploy/test_console.py": 10,
    "tests/killswitch/test_command_line.py": 10,
    "tests/live/test_ledger.py": 10,
    "tests/live/test_browser.py": 10,
    "tests/killswitch/test_concurrency.py": 7,
    "tests/client/test_breaker_reports.py": 7,
    "tests/breakers/test_stream.py": 6,
    "tests/alerts/test_exactness.py": 6,
    "tests/live/test_shutdown.py": 6,
    "tests/live/test_console.py": 6,
    "tests/client/test_breaker_model.py": 4,
}


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """`PYTEST_XDIST_AUTO_NUM_WORKERS`, as in pytest-xdist, or two more than processors."""
    return int(os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") or len(os.sched_getaffinity(0)) + 2)


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    return DearestFirst(config, log) if config.getoption("dist") == "loadfile" else None


class DearestFirst(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Hands out whole files, as the option says, in an order of its own."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        self._given: dict[WorkerController, str] = {}

    def _assign_work_unit(self, node: WorkerController) -> None:
        chosen = self._next_for(node)
        self._given[node] = chosen
        self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)

    def _next_for(self, node: WorkerController) -> str:
        has_browser = self._given.get(node, "").startswith(BROWSER)

        def rank(path: str) -> tuple[bool, int, int]:
            stays = has_browser and path.startswith(BROWSER)
            return stays, SECONDS.get(path, 0), len(self.workqueue[path])

        chosen: str = max(self.workqueue, key=rank)
        return chosen
