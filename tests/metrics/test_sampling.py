"""The console's own gauges, kept so that pages have their past."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring import tasks
from monitoring.metrics import sampling
from monitoring.metrics.exposition import expose
from monitoring.metrics.models import Minute, Series
from monitoring.metrics.sources import Sample
from opsconsole.accounts.models import User
from tests.cast import caller

NOW = datetime(2026, 11, 25, 15, 0, 5, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How full the disk is at the next look."""
    says = [50.0]
    monkeypatch.setattr(sampling, "_sources", (lambda _now: [Sample("host_disk_usage_pct", says[0])],))
    return says


def test_nobody_else_may_speak_for_the_console(trader: User) -> None:
    batch = {
        "batch_id": "b1",
        "client": "console",
        "sent_at": datetime.now(UTC).isoformat(),
        "series": [{"name": "portfolio_value_usd", "set": 1}],
    }
    answer = caller(trader).post("/monitoring/metrics/push", batch)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == ["client"]
    assert not Series.objects.exists()


def test_it_is_kept_once_in_fifteen_seconds_whoever_looks(disk: list[float]) -> None:
    assert sampling.sample(now=NOW) == 1
    disk[0] = 60.0
    assert sampling.sample(now=NOW + timedelta(seconds=5)) == 0
    assert sampling.sample(now=NOW + timedelta(seconds=15)) == 1
    series = Series.objects.get()
    assert (series.name, series.client, series.value) == ("host_disk_usage_pct", "console", 60.0)
    row = Minute.objects.get()
    assert (row.low, row.high, row.last, row.count) == (50.0, 60.0, 60.0, 2)


def test_what_is_not_known_leaves_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "_sources", (lambda _now: [],))
    assert sampling.sample(now=NOW) == 0
    assert not Series.objects.exists()


def test_metrics_shows_it_once_as_it_is_now(disk: list[float]) -> None:
    sampling.sample(now=NOW)
    lines = [line for line in expose(now=NOW).splitlines() if line.startswith("host_disk_usage_pct")]
    assert len(lines) == 1


def test_the_task_keeps_the_real_host_s() -> None:
    tasks.sample()
    names = set(Series.objects.values_list("name", flat=True))
    assert {"host_memory_usage_pct", "host_disk_usage_pct"} <= names
