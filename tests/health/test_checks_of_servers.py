"""PostgreSQL, Valkey and workers. Real ones, on loopback."""

from socket import create_server
from typing import Any

import pytest

from monitoring.health.checks.base import Failed
from monitoring.health.checks.database import DatabaseCheck
from monitoring.health.checks.redis import RedisCheck
from monitoring.health.checks.worker import WorkerCheck, do_job
from monitoring.health.choices import Status
from monitoring.health.models import ProbeJob
from opsconsole.celery import app
from tests.health.looking import NOW

DATABASE: dict[str, Any] = {
    "degraded_ms": 60_000,
    "unhealthy_ms": 60_000,
    "lag_degraded_s": 10,
    "lag_unhealthy_s": 300,
    "connections_degraded_pct": 100,
    "connections_unhealthy_pct": 100,
    "transaction_degraded_s": 86_400,
    "transaction_unhealthy_s": 86_400,
}


def test_database(db: None) -> None:
    result = DatabaseCheck(**DATABASE).run(NOW)
    assert (result.status, result.message) == (Status.HEALTHY, "Database is operational")
    assert result.response_ms is not None
    assert result.metadata["connections"] >= 1
    assert result.metadata["replication_lag_s"] is None
    tight = DatabaseCheck(**DATABASE | {"connections_degraded_pct": 0.01}).run(NOW)
    assert tight.status == Status.DEGRADED
    assert "of its connections are in use" in tight.message


@pytest.mark.parametrize(("lag", "status"), [(9.9, "healthy"), (10, "degraded"), (300, "unhealthy")])
def test_a_standby_that_lags(lag: float, status: str) -> None:
    facts = ("18.1 (Debian)", False, 3, 100, 0, 1, lag, 1)
    assert DatabaseCheck(**DATABASE)._judged(facts, 1.0).status == status


REDIS: dict[str, Any] = {
    "degraded_ms": 60_000,
    "unhealthy_ms": 60_000,
    "degraded_pct": 80,
    "unhealthy_pct": 95,
    "budget": 5.0,
}


def test_redis() -> None:
    result = RedisCheck(**REDIS).run(NOW)
    assert (result.status, result.message) == (Status.HEALTHY, "Redis is operational")
    assert result.metadata["evicted_keys"] == 0


def test_redis_that_fills_up_or_throws_away() -> None:
    info = {"used_memory": 96, "maxmemory": 100, "evicted_keys": 5}
    result = RedisCheck(**REDIS, before={"evicted_keys": 4})._judged(info, 1.0)
    assert result.status == Status.UNHEALTHY
    assert "96.0% of its memory limit" in result.message
    assert "evicted" in result.message
    unlimited = RedisCheck(**REDIS, before={"evicted_keys": 5})._judged(info | {"maxmemory": 0}, 1.0)
    assert unlimited.status == Status.HEALTHY


def test_redis_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(
            app.conf, "broker_write_url", f"redis://:hush@127.0.0.1:{taken.getsockname()[1]}/0"
        )
        with pytest.raises(Failed, match=r"^Redis does not answer \(\w+\)$"):
            RedisCheck(**REDIS | {"budget": 0.2}).run(NOW)


WORKER: dict[str, Any] = {"queue": "nobody-takes-this", "degraded_ms": 60_000, "unhealthy_ms": 60_000}


def test_a_worker_that_does_nothing(transactional_db: None) -> None:
    with pytest.raises(Failed, match="No worker has done a job of the queue nobody-takes-this within 0"):
        WorkerCheck(**WORKER, budget=0.05).run(NOW)
    assert ProbeJob.objects.count() == 0


def test_a_worker_that_has_done_its_job(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def done(_check: WorkerCheck, job: ProbeJob) -> None:
        assert do_job(str(job.token), worker="w@1", now=NOW)
        # A job is done once.
        assert not do_job(str(job.token), worker="w@2", now=NOW)

    monkeypatch.setattr(WorkerCheck, "_send", done)
    result = WorkerCheck(**WORKER, budget=20).run(NOW)
    assert (result.status, result.metadata["worker"]) == (Status.HEALTHY, "w@1")
