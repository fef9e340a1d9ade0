"""The seal on the audit trail: how long the oldest event that waits has been waiting, and whether sealing refuses to go on."""

from dataclasses import dataclass
from datetime import datetime

from monitoring.health.checks.base import Finding, Result, above, together
from monitoring.health.choices import Status
from opsconsole.audit.sealing.selectors import standing


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingCheck:
    """The end of the trail is looked at here as the sealer does; all of it is `manage.py audit verify`."""

    degraded_s: float
    unhealthy_s: float

    def run(self, now: datetime) -> Result:
        found = standing(now=now)
        age = found.age.total_seconds()
        findings = [
            Finding(
                Status.UNHEALTHY if found.problem else Status.HEALTHY,
                f"Nothing is sealed any more. {found.problem}",
            ),
            Finding(
                above(age, self.degraded_s, self.unhealthy_s),
                f"An event has waited for {age:,.0f} s to be sealed; {found.lag.pending:,} wait in all",
            ),
        ]
        return together(
            findings,
            well="Events are sealed in time",
            metadata={
                "pending": found.lag.pending,
                "oldest_pending_s": round(age, 1),
                "sealed": found.lag.size,
                "newest_seal_at": found.seal.at.isoformat() if found.seal else None,
            },
        )
