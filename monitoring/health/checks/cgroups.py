"""What a control group (a container, a service) may use of its host, and what it does use: version 2, else version 1.

psutil sees the host, so a container that is about to be killed for its memory looks well to it.
"""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
# What version 1 says when there is no limit: the most that a long holds, in whole pages.
NO_LIMIT = 2**60


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Bytes. `used`: without what the kernel would give back at once."""

    used: int
    limit: int
    source: str


@dataclass(frozen=True, slots=True)
class CpuUse:
    """`seconds` of processors used since the group began; `limit`: processors it may use at a time; `throttled_s`: for how long it had to wait."""

    seconds: float
    limit: float
    throttled_s: float
    source: str


def memory(root: Path = ROOT, own: Path = OWN) -> MemoryUse | None:
    """None: there is no limit."""
    tightest: MemoryUse | None = None
    for folder in _folders(root, own, controller=""):
        limit = _number(folder / "memory.max")
        used = _number(folder / "memory.current")
        if limit is None or used is None or (tightest is not None and tightest.limit <= limit):
            continue
        idle = _fields(folder / "memory.stat").get("inactive_file", 0)
        tightest = MemoryUse(max(0, used - idle), limit, "cgroup v2")
    if tightest is not None:
        return tightest
    for folder in _folders(root / "memory", own, controller="memory"):
        limit = _number(folder / "memory.limit_in_bytes")
        used = _number(folder / "memory.usage_in_bytes")
        if limit is not None and used is not None and limit < NO_LIMIT:
            idle = _fields(folder / "memory.stat").get("total_inactive_file", 0)
            return MemoryUse(max(0, used - idle), limit, "cgroup v1")
    return None


def cpu(root: Path = ROOT, own: Path = OWN) -> CpuUse | None:
    """None: there is no limit."""
    for folder in _folders(root, own, controller=""):
        words = _words(folder / "cpu.max")
        stat = _fields(folder / "cpu.stat")
        if len(words) == 2 and words[0].isdigit() and words[1].isdigit() and "usage_usec" in stat:
            limit = int(words[0]) / max(int(words[1]), 1)
            throttled = stat.get("throttled_usec", 0) / 1e6
            return CpuUse(stat["usage_usec"] / 1e6, limit, throttled, "cgroup v2")
    for folder in _folders(root / "cpu", own, controller="cpu"):
        quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
        usage = _number(root / "cpuacct" / folder.relative_to(root / "cpu") / "cpuacct.usage")
        if quota is not None and quota > 0 and period and usage is not None:
            throttled = _fields(folder / "cpu.stat").get("throttled_time", 0) / 1e9
            return CpuUse(usage / 1e9, quota / period, throttled, "cgroup v1")
    return None


def _folders(root: Path, own: Path, *, controller: str) -> list[Path]:
    """This process' group and those around it, which limit it too, from the inside outwards. In a container the first is often the root."""
    path = _own_path(own, controller)
    if path is None or not root.is_dir():
        return []
    inside = [part for part in path.split("/") if part not in ("", "..")]
    found = [root.joinpath(*inside[:length]) for length in range(len(inside), -1, -1)]
    return [folder for folder in found if folder.is_dir()]


def _own_path(own: Path, controller: str) -> str | None:
    """From lines such as `0::/user.slice` (version 2) and `4:cpu,cpuacct:/docker/…` (version 1)."""
    for line in _text(own).splitlines():
        _, names, path = line.split(":", 2) if line.count(":") >= 2 else ("", "?", "")
        if controller in names.split(","):
            return path
    return None


def _number(path: Path) -> int | None:
    words = _words(path)
    try:
        return int(words[0]) if words else None
    except ValueError:
        # `max`: no limit.
        return None


def _fields(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in _text(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _words(path: Path) -> list[str]:
    return _text(path).split()


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
