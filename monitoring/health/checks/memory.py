"""Memory in use: of the control group's limit where there is one, else of the host."""

from dataclasses import dataclass
from datetime import datetime

import psutil

from monitoring.health.checks import cgroups
from monitoring.health.checks.base import Finding, Result, above, together

GB = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryCheck:
    degraded_pct: float
    unhealthy_pct: float

    def run(self, now: datetime) -> Result:
        del now
        host, group = psutil.virtual_memory(), cgroups.memory()
        if group is not None and group.limit < host.total:
            used, total, source = group.used, group.limit, group.source
        else:
            used, total, source = host.total - host.available, host.total, "host"
        used_pct = 100 * used / max(total, 1)
        finding = Finding(
            above(used_pct, self.degraded_pct, self.unhealthy_pct), f"{used_pct:.1f}% of the memory is used"
        )
        return together(
            [finding],
            well=f"Memory usage normal: {used_pct:.1f}%",
            metadata={
                "total_gb": round(total / GB, 1),
                "used_gb": round(used / GB, 1),
                "free_gb": round(max(0, total - used) / GB, 1),
                "used_pct": round(used_pct, 1),
                "source": source,
            },
        )
