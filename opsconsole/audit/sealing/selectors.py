"""Reads of the seal: how far it has come, and what waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min

from opsconsole.audit.models import AuditEvent, AuditPending, AuditSeal
from opsconsole.audit.sealing.services import BATCH
from opsconsole.audit.sealing.state import end, queued_again
from opsconsole.audit.sealing.trust import Trust

# An event that has waited for so long waits for something that does not come.
LATE = timedelta(seconds=30)


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
    """`seal`: the newest, or None. `problem`: why sealing refuses; empty: it does not. `sealed_event`: of the newest leaf; `newest_event`: of all.

    `age`: for how long the oldest that waits has waited.
    """

    lag: Lag
    age: timedelta
    seal: AuditSeal | None
    problem: str
    sealed_event: int | None
    newest_event: int | None

    @property
    def is_late(self) -> bool:
        return self.age >= LATE

    @property
    def root_hex(self) -> str:
        return bytes(self.seal.root).hex() if self.seal else ""


def lag() -> Lag:
    size = AuditSeal.objects.order_by("-pk").values_list("size", flat=True).first()
    return _lag(size or 0)


def standing(*, now: datetime) -> Standing:
    """The end of the trail alone is looked at; all of it: `verifying`."""
    found = end(trust=Trust())
    waiting = _lag(found.seal.size if found.seal else 0)
    return Standing(
        lag=waiting,
        age=waiting.age(now),
        seal=found.seal,
        problem=found.problem or queued_again(_next_in_line()),
        sealed_event=found.leaf.event_id if found.leaf else None,
        newest_event=AuditEvent.objects.aggregate(newest=Max("pk"))["newest"],
    )


def anything_waits() -> bool:
    return AuditPending.objects.exists()


def _next_in_line() -> list[int]:
    return list(
        AuditPending.objects.order_by("written_at", "event_id").values_list("event_id", flat=True)[:BATCH]
    )


def _lag(size: int) -> Lag:
    waiting = AuditPending.objects.aggregate(count=Count("pk"), oldest=Min("written_at"))
    return Lag(size=size, pending=waiting["count"], oldest=waiting["oldest"])
