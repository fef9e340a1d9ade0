"""Processes of the console that write signs of life: beat, and the hubs of the web processes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.health.checks.base import Finding, Result, above, together
from monitoring.health.choices import Status
from monitoring.health.models import Pulse

# An older pulse is of a process that is gone for good.
GONE = timedelta(minutes=10)
BEAT = "beat"
HUB = "hub:"
WORKER = "worker:"


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatCheck:
    """Of several beats the one that ticked last counts: any of them will do."""

    degraded_s: float
    unhealthy_s: float

    def run(self, now: datetime) -> Result:
        pulse = Pulse.objects.filter(name=BEAT).first()
        if pulse is None:
            return Result(Status.UNHEALTHY, "Beat has never ticked")
        age = max(0.0, (now - pulse.at).total_seconds())
        finding = Finding(above(age, self.degraded_s, self.unhealthy_s), f"Its last tick is {age:,.0f} s old")
        return together(
            [finding],
            well="Beat ticks",
            metadata={"tick_age_s": round(age, 1), "host": pulse.host, "pid": pulse.pid},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HubCheck:
    """The event loop of at least one web process turns, and its hub reads the database. `term`: of a lease, in seconds."""

    degraded_s: float
    unhealthy_s: float
    term: float

    def run(self, now: datetime) -> Result:
        hubs = list(Pulse.objects.filter(name__startswith=HUB, at__gt=now - GONE).order_by("-at"))
        if not hubs:
            return Result(Status.UNHEALTHY, "No hub has been heard of for ten minutes")
        ages = {hub.name: max(0.0, (now - hub.at).total_seconds()) for hub in hubs}
        newest = min(ages.values())
        living = [hub for hub in hubs if ages[hub.name] < self.degraded_s]
        findings = [
            Finding(
                above(newest, self.degraded_s, self.unhealthy_s),
                f"No hub has been heard of for {newest:,.0f} s",
            )
        ]
        # A lease needs a read within half a term.
        blind = [hub for hub in living if float(hub.details.get("reading_age_s") or 0) > self.term / 2]
        if blind:
            status = Status.UNHEALTHY if len(blind) == len(living) else Status.DEGRADED
            findings.append(
                Finding(status, f"{len(blind)} of {len(living)} hubs cannot read the database: no leases")
            )
        return together(
            findings,
            well="Streams are served",
            metadata={
                "hubs": len(living),
                "streams": sum(int(hub.details.get("streams") or 0) for hub in living),
                "loop_lag_ms": max(
                    (float(hub.details.get("loop_lag_ms") or 0) for hub in living), default=0.0
                ),
            },
        )
