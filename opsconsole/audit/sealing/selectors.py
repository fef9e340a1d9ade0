"""Reads of the seal: how far it has come, and what waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min

from opsconsole.audit.models import AuditEvent, AuditPending, AuditSeal, SealedLeaf
from opsconsole.audit.sealing.checkpoints import Keys
from opsconsole.audit.sealing.state import end


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How many events wait to be sealed, and since when the first of them has. `size`: events that are sealed."""

    size: int
    pending: int
    oldest: datetime | None

    def age(self, now: datetime) -> timedelta:
        return max(timedelta(), now - self.oldest) if self.oldest else timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`seal`: the newest, or None. `problem`: why sealing refuses; empty: it does not. `sealed_event`: of the newest leaf; `newest_event`: of all."""

    lag: Lag
    seal: AuditSeal | None
    problem: str
    sealed_event: int | None
    newest_event: int | None


def lag() -> Lag:
    size = AuditSeal.objects.order_by("-pk").values_list("size", flat=True).first()
    waiting = AuditPending.objects.aggregate(count=Count("pk"), oldest=Min("written_at"))
    return Lag(size=size or 0, pending=waiting["count"], oldest=waiting["oldest"])


def standing() -> Standing:
    """Without a look at the tree: that is `verifying`."""
    found = end(keys=Keys())
    leaf = SealedLeaf.objects.order_by("-index").first()
    return Standing(
        lag=lag(),
        seal=found.seal,
        problem=found.problem,
        sealed_event=leaf.event_id if leaf else None,
        newest_event=AuditEvent.objects.aggregate(newest=Max("pk"))["newest"],
    )


def anything_waits() -> bool:
    return AuditPending.objects.exists()
