"""The outbox of alerts: how long the delivery that is due longest has been waiting, and what was given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from alerts.choices import DeliveryState
from alerts.models import Delivery
from monitoring.health.checks.base import Finding, Result, above, together
from monitoring.health.choices import Status

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxCheck:
    """What waits for another try after a failure is not due yet; what a dead worker holds is due when its claim has run out."""

    degraded_s: float
    unhealthy_s: float
    dead_degraded: float

    def run(self, now: datetime) -> Result:
        held = Q(state=DeliveryState.SENDING, claimed_until__lte=now)
        waiting = Delivery.objects.filter(
            Q(state=DeliveryState.PENDING) | held, channel__isnull=False, due_at__lte=now
        )
        # A channel that is paced, or pauses after errors, says itself from when on it may be used again.
        open_ones = waiting.filter(Q(channel__next_at=None) | Q(channel__next_at__lte=now))
        found = open_ones.aggregate(count=Count("pk"), oldest=Min("due_at"))
        dead = Delivery.objects.filter(state=DeliveryState.DEAD, finished_at__gt=now - DAY).count()
        age = (now - found["oldest"]).total_seconds() if found["oldest"] else 0.0
        findings = [
            Finding(
                above(age, self.degraded_s, self.unhealthy_s),
                f"A delivery has been due for {age:,.0f} s; {found['count']:,} are due in all",
            ),
            Finding(
                Status.DEGRADED if dead >= self.dead_degraded else Status.HEALTHY,
                f"{dead:,} {'delivery was' if dead == 1 else 'deliveries were'} given up within a day",
            ),
        ]
        return together(
            findings,
            well="Deliveries leave in time",
            metadata={"due": found["count"], "oldest_due_s": round(age, 1), "given_up_today": dead},
        )
