"""Disk, memory and processors, as a host has them and as a control group may use them. Real files."""

from pathlib import Path

import pytest

from monitoring.health.checks import cgroups, disk
from monitoring.health.checks.cpu import CpuCheck, Reading, between
from monitoring.health.checks.disk import DiskCheck
from monitoring.health.checks.memory import MemoryCheck
from monitoring.health.choices import Status
from tests.health.looking import NOW

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
