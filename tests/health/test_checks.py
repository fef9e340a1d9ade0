"""What each kind of check makes of what it sees. Real files, PostgreSQL, Valkey and connections on loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from typing import Any

import pytest
from django.utils import timezone

from alerts.choices import DeliveryState
from alerts.models import Delivery
from killswitch.models import TradingClient
from monitoring.health.checks import cgroups, clients, disk
from monitoring.health.checks.base import Failed
from monitoring.health.checks.cpu import CpuCheck, Reading, between
from monitoring.health.checks.database import DatabaseCheck
from monitoring.health.checks.disk import DiskCheck
from monitoring.health.checks.memory import MemoryCheck
from monitoring.health.checks.network import CertificateCheck, HttpCheck, TcpCheck
from monitoring.health.checks.outbox import OutboxCheck
from monitoring.health.checks.pulses import BeatCheck, HubCheck
from monitoring.health.checks.redis import RedisCheck
from monitoring.health.checks.worker import WorkerCheck, do_job
from monitoring.health.choices import Status
from monitoring.health.models import ProbeJob, Pulse
from monitoring.health.pulsing import pulse
from opsconsole.accounts.models import User
from opsconsole.celery import app
from tests.alert_rows import a_channel, an_alert, told
from tests.desk import Desk
from tests.health.looking import NOW, at

# Disk


def test_disk_space_says_what_the_guide_says(tmp_path: Path) -> None:
    result = DiskCheck(own=str(tmp_path), degraded_pct=100, unhealthy_pct=100).run(NOW)
    assert result.status == Status.HEALTHY
    assert result.message.startswith("Disk usage normal: ")
    assert {"total_gb", "used_gb", "free_gb", "used_pct"} <= set(result.metadata)


def test_a_full_mount_and_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = disk.Mount("/data", total=100, used=96, free=4, inodes_pct=10.0, read_only=True)
    monkeypatch.setattr(disk, "mount_of", lambda _: full)
    gone = str(tmp_path / "gone")
    result = DiskCheck(own=str(tmp_path), paths=[gone], degraded_pct=85, unhealthy_pct=95).run(NOW)
    assert result.status == Status.UNHEALTHY
    assert "96.0% of /data is used" in result.message
    assert "/data takes no writes" in result.message
    assert f"{gone} cannot be read (No such file or directory)" in result.message


# Memory and processors


def group(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_the_limits_of_version_2(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/console/web\n")
    group(
        tmp_path / "cg",
        {
            # The group around it is the tighter one.
            "console/web/memory.max": "max",
            "console/web/memory.current": "50",
            "console/memory.max": "1000",
            "console/memory.current": "800",
            "console/memory.stat": "anon 500\ninactive_file 200\n",
            "console/cpu.max": "150000 100000",
            "console/cpu.stat": "usage_usec 3000000\nthrottled_usec 500000\n",
        },
    )
    assert cgroups.memory(tmp_path / "cg", own) == cgroups.MemoryUse(600, 1000, "cgroup v2")
    assert cgroups.cpu(tmp_path / "cg", own) == cgroups.CpuUse(3.0, 1.5, 0.5, "cgroup v2")


def test_the_limits_of_version_1(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n")
    group(
        tmp_path / "cg",
        {
            "memory/docker/abc/memory.limit_in_bytes": "1000",
            "memory/docker/abc/memory.usage_in_bytes": "900",
            "memory/docker/abc/memory.stat": "total_inactive_file 100\n",
            "cpu/docker/abc/cpu.cfs_quota_us": "50000",
            "cpu/docker/abc/cpu.cfs_period_us": "100000",
            "cpu/docker/abc/cpu.stat": "throttled_time 2000000000\n",
            "cpuacct/docker/abc/cpuacct.usage": "4000000000",
        },
    )
    assert cgroups.memory(tmp_path / "cg", own) == cgroups.MemoryUse(800, 1000, "cgroup v1")
    assert cgroups.cpu(tmp_path / "cg", own) == cgroups.CpuUse(4.0, 0.5, 2.0, "cgroup v1")


def test_no_limit_is_none(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/\n5:memory:/\n")
    unlimited = {
        "memory.max": "max",
        "memory.current": "5",
        "cpu.max": "max 100000",
        "cpu.stat": "usage_usec 1\n",
    }
    group(tmp_path / "cg", unlimited | {"memory/memory.limit_in_bytes": str(2**63 - 4096)})
    assert cgroups.memory(tmp_path / "cg", own) is None
    assert cgroups.cpu(tmp_path / "cg", own) is None
    assert cgroups.cpu(tmp_path / "cg", tmp_path / "nothing") is None


def test_processors_in_percent_of_what_may_be_used() -> None:
    use = between(Reading(10.0, 5.0, 0.5, 1.0, "cgroup v2"), Reading(20.0, 9.0, 0.5, 3.0, "cgroup v2"))
    assert (use.used_pct, use.throttled_pct) == (80.0, 20.0)


def test_memory_and_processors_of_this_host() -> None:
    memory = MemoryCheck(degraded_pct=100, unhealthy_pct=100).run(NOW)
    assert 0 < memory.metadata["used_pct"] <= 100
    assert MemoryCheck(degraded_pct=0.001, unhealthy_pct=100).run(NOW).status == Status.DEGRADED
    assert 0 <= CpuCheck(degraded_pct=100, unhealthy_pct=101).run(NOW).metadata["used_pct"] <= 100


# Servers

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


# Signs of life


def test_beat_by_the_age_of_its_tick(db: None) -> None:
    check = BeatCheck(degraded_s=4, unhealthy_s=6)
    assert check.run(NOW).message == "Beat has never ticked"
    pulse("beat", now=NOW)
    pulse("beat", now=at(-5))
    assert [check.run(at(age)).status for age in (3.9, 4, 6)] == ["healthy", "degraded", "unhealthy"]
    assert Pulse.objects.count() == 1


def test_hubs(db: None) -> None:
    check = HubCheck(degraded_s=4, unhealthy_s=6, term=2.0)
    assert check.run(NOW).status == Status.UNHEALTHY
    pulse("hub:a", now=NOW, details={"streams": 3, "reading_age_s": 0.2})
    pulse("hub:b", now=NOW, details={"streams": 1, "reading_age_s": 9.0})
    pulse("hub:dead", now=at(-60), details={"streams": 7})
    result = check.run(at(1))
    assert (result.status, result.metadata["streams"]) == (Status.DEGRADED, 4)
    assert "1 of 2 hubs cannot read the database" in result.message
    assert check.run(at(7)).status == Status.UNHEALTHY


def test_the_outbox_by_what_is_due_longest(db: None) -> None:
    check = OutboxCheck(degraded_s=30, unhealthy_s=120, dead_degraded=1)
    assert check.run(NOW).status == Status.HEALTHY
    channel = a_channel()
    delivery = told(an_alert(), channel)
    Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.PENDING, due_at=NOW, finished_at=None)
    assert [check.run(at(age)).status for age in (29, 30, 120)] == ["healthy", "degraded", "unhealthy"]
    # A channel that pauses says itself until when.
    type(channel).objects.update(next_at=at(300))
    assert check.run(at(120)).status == Status.HEALTHY
    Delivery.objects.update(state=DeliveryState.DEAD, finished_at=NOW)
    result = check.run(at(60))
    assert (result.status, result.message) == (Status.DEGRADED, "1 delivery was given up within a day")


def test_trading_processes_in_one_read(trader: User) -> None:
    desk = Desk(trader)
    desk.connect("AAPL", "IBM", "GOOG", "MSFT")
    now = timezone.now()
    TradingClient.objects.filter(name="IBM").update(hub="", last_seen=now - timedelta(seconds=7))
    TradingClient.objects.filter(name="GOOG").update(hub="", left_at=now)
    TradingClient.objects.filter(name="MSFT").update(override={"message": "no"})
    results = clients.look(["IBM", "AAPL", "GOOG", "MSFT", "nobody"], now)
    assert [result.status for result in results] == ["unhealthy", "healthy", "unknown", "degraded", "unknown"]
    assert results[0].message == "No contact for 7 s, and it did not say goodbye"
    # Another process has taken its place.
    desk.connect("IBM")
    assert clients.look(["IBM"], now)[0].status == Status.HEALTHY


# Targets


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        authorized = self.headers.get("Authorization") == "Bearer hush"
        self.send_response(200 if authorized else 401)
        self.end_headers()
        self.wfile.write(b"prices are flowing")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
        pass


@contextmanager
def serving() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server.server_port
        server.shutdown()


HTTP: dict[str, Any] = {
    "status_from": 200,
    "status_to": 399,
    "contains": "",
    "degraded_ms": 60_000,
    "unhealthy_ms": 60_000,
    "budget": 5.0,
}


def test_an_http_target_and_its_secrets() -> None:
    with serving() as port:
        url = f"http://127.0.0.1:{port}/health?key=hush"
        check = HttpCheck(url=url, authorization="Bearer hush", **HTTP)
        result = check.run(NOW)
        refused = HttpCheck(url=url, **HTTP | {"contains": "something else"}).run(NOW)
    assert (result.status, result.message) == (Status.HEALTHY, "It answered 200")
    assert refused.status == Status.UNHEALTHY
    assert refused.message == "It answered 401; Its answer lacks the text that it must contain"
    assert "hush" not in repr(check) + repr(result) + repr(refused)
    with pytest.raises(Failed, match="no connection") as error:
        check.run(NOW)
    assert "hush" not in str(error.value)


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "http://[fe80::1]/"])
def test_addresses_that_are_nobodys_to_ask(url: str) -> None:
    with pytest.raises(Failed, match="a link-local or metadata address"):
        HttpCheck(url=url, **HTTP).run(NOW)


def test_a_target_that_hangs_is_cut_off() -> None:
    with create_server(("127.0.0.1", 0)) as hangs:
        url = f"http://127.0.0.1:{hangs.getsockname()[1]}/"
        with pytest.raises(Failed, match="no whole answer in time"):
            HttpCheck(url=url, **HTTP | {"budget": 0.2}).run(NOW)


def test_a_tcp_target() -> None:
    with create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        check = TcpCheck(host="127.0.0.1", port=port, degraded_ms=60_000, unhealthy_ms=60_000, budget=5)
        assert check.run(NOW).status == Status.HEALTHY
    with pytest.raises(Failed, match="no connection"):
        check.run(NOW)


@pytest.mark.parametrize(
    ("days", "status"), [(22, "healthy"), (21, "degraded"), (7, "unhealthy"), (-1, "unhealthy")]
)
def test_a_certificate_by_the_days_that_are_left(
    monkeypatch: pytest.MonkeyPatch, days: int, status: str
) -> None:
    check = CertificateCheck(host="a.example", port=443, degraded_days=21, unhealthy_days=7, budget=5)
    monkeypatch.setattr(CertificateCheck, "_expiry", lambda _: NOW + timedelta(days=days))
    assert check.run(NOW).status == status


def test_a_server_without_a_certificate() -> None:
    with serving() as port, pytest.raises(Failed, match="No TLS with "):
        CertificateCheck(host="127.0.0.1", port=port, degraded_days=21, unhealthy_days=7, budget=5).run(NOW)
