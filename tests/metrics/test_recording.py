"""The console's own gauges, written down for its pages, and exposed once all the same."""

from datetime import timedelta

import pytest

from monitoring.metrics.exposition import expose
from monitoring.metrics.models import Minute, Series
from monitoring.metrics.recording import record_own
from monitoring.tasks import record_own as task
from tests.metrics.pushing import MINUTE, NOW
from tests.metrics.rows import partitions

NAMES = {"host_memory_usage_pct", "host_disk_usage_pct"}


@pytest.fixture(autouse=True)
def _tables(db: None) -> None:
    partitions()


def test_writes_the_host_down_minute_by_minute() -> None:
    assert record_own(now=NOW) >= len(NAMES)
    record_own(now=NOW + timedelta(seconds=10))
    record_own(now=NOW + MINUTE)
    series = Series.objects.filter(client="console", name__in=NAMES)
    assert {one.name for one in series} == NAMES
    for one in series:
        assert 0 < one.value <= 100
        assert list(Minute.objects.filter(series=one).order_by("at").values_list("count", flat=True)) == [
            2,
            1,
        ]


def test_a_projection_that_is_not_known_is_not_written_down() -> None:
    record_own(now=NOW)
    assert not Series.objects.filter(name="ai_monthly_cost_usd").exists()


def test_is_exposed_once() -> None:
    record_own(now=NOW)
    assert expose(now=NOW).count("\nhost_memory_usage_pct{") == 1


def test_the_task_does_it() -> None:
    task()
    assert Series.objects.filter(client="console", name="host_disk_usage_pct").exists()
