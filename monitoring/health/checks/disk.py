"""The space that is left on every mount that matters."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monitoring.health.checks.base import Finding, Result, above, together
from monitoring.health.choices import Status

GB = 1e9


@dataclass(frozen=True, slots=True)
class Mount:
    """One file system by the first folder that led to it. Sizes in bytes; `inodes_pct` None: it does not count them."""

    path: str
    total: int
    used: int
    free: int
    inodes_pct: float | None
    read_only: bool

    @property
    def used_pct(self) -> float:
        """Of what users may have, as `df` shows it."""
        usable = self.used + self.free
        return 100 * self.used / usable if usable else 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "total_gb": round(self.total / GB, 1),
            "used_gb": round(self.used / GB, 1),
            "free_gb": round(self.free / GB, 1),
            "used_pct": round(self.used_pct, 1),
            "inodes_pct": None if self.inodes_pct is None else round(self.inodes_pct, 1),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskCheck:
    """`own`: the console's folder, and where temporary files go; `paths`: further ones, each of which must be there."""

    degraded_pct: float
    unhealthy_pct: float
    own: str
    paths: Sequence[str] = ()

    def run(self, now: datetime) -> Result:
        del now
        findings: list[Finding] = []
        mounts: dict[int, Mount] = {}
        for path in (self.own, tempfile.gettempdir(), *self.paths):
            try:
                device = Path(path).stat().st_dev
                if device not in mounts:
                    mounts[device] = mount_of(path)
            except OSError as error:
                findings.append(Finding(Status.UNHEALTHY, f"{path} cannot be read ({error.strerror})"))
        findings += [finding for mount in mounts.values() for finding in self._of(mount)]
        if not mounts:
            return together(findings, well="")
        # The guide's four figures are those of the fullest.
        fullest = max(mounts.values(), key=lambda mount: mount.used_pct)
        return together(
            findings,
            well=f"Disk usage normal: {fullest.used_pct:.1f}%",
            metadata={**fullest.as_json(), "mounts": [mount.as_json() for mount in mounts.values()]},
        )

    def _of(self, mount: Mount) -> list[Finding]:
        used = Finding(
            above(mount.used_pct, self.degraded_pct, self.unhealthy_pct),
            f"{mount.used_pct:.1f}% of {mount.path} is used, {mount.free / GB:.1f} GB are free",
        )
        found = [used]
        if mount.inodes_pct is not None:
            status = above(mount.inodes_pct, self.degraded_pct, self.unhealthy_pct)
            found.append(Finding(status, f"{mount.inodes_pct:.1f}% of the inodes of {mount.path} are used"))
        if mount.read_only:
            found.append(Finding(Status.UNHEALTHY, f"{mount.path} takes no writes"))
        return found


def mount_of(path: str) -> Mount:
    """Raises OSError."""
    found = os.statvfs(path)
    inodes = found.f_files - found.f_ffree
    usable = inodes + found.f_favail
    return Mount(
        path=path,
        total=found.f_blocks * found.f_frsize,
        used=(found.f_blocks - found.f_bfree) * found.f_frsize,
        free=found.f_bavail * found.f_frsize,
        inodes_pct=100 * inodes / usable if found.f_files and usable else None,
        read_only=bool(found.f_flag & os.ST_RDONLY),
    )
