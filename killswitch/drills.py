"""When the next drill is due, and what the last ones have shown: a stop that nobody has tried for a month is a stop that nobody has proven."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils import timezone

from killswitch.choices import Every, ProofState
from killswitch.drill_schedule import Schedule
from killswitch.models import Acknowledgement, Activation, DrillRule

# Of each drill, in the list.
SLOWEST = 12


@dataclass(frozen=True, slots=True)
class Due:
    """`last`: the newest drill that has proven anything, or None. `due`: None when drills are not asked for."""

    last: Activation | None
    due: datetime | None
    schedule: Schedule
    remind: timedelta
    now: datetime

    @property
    def overdue(self) -> bool:
        return self.due is not None and self.due <= self.now

    @property
    def soon(self) -> bool:
        """Not overdue yet, and near enough to be reminded of."""
        return self.due is not None and self.due - self.remind <= self.now < self.due

    @property
    def wanted(self) -> bool:
        """Whether somebody is to run one: it is due, or will be soon, or there was never one."""
        return self.due is not None and (self.last is None or self.overdue or self.soon)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One drill with each process's time (`episode.acknowledgements.all()`, each with its client; the slowest first)."""

    episode: Activation

    @property
    def processes(self) -> int:
        return len(self.episode.acknowledgements.all())

    @property
    def slowest(self) -> list[Acknowledgement]:
        """Those that a list shows; the episode's own page has all."""
        return list(self.episode.acknowledgements.all())[:SLOWEST]

    @property
    def more(self) -> int:
        return max(0, self.processes - SLOWEST)

    @property
    def acknowledged(self) -> int:
        return sum(proof.state == ProofState.ACKED for proof in self.episode.acknowledgements.all())


def due(*, now: datetime | None = None) -> Due:
    """Two queries."""
    moment = now or timezone.now()
    return due_by(DrillRule.objects.get(pk=1), now=moment)


def due_by(rule: DrillRule, *, now: datetime) -> Due:
    schedule = schedule_of(rule)
    last = proven().order_by("-id").first()
    at = schedule.after(last.activated_at) if last else schedule.first(rule.since)
    return Due(last, at if rule.enabled else None, schedule, timedelta(days=rule.remind_days), now)


def schedule_of(rule: DrillRule) -> Schedule:
    zone = ZoneInfo(rule.zone or settings.TIME_ZONE)
    return Schedule(Every(rule.every), rule.day, rule.days, rule.at, zone)


def proven() -> QuerySet[Activation]:
    """Drills that have proven something: one without any process proves nothing."""
    proofs = Acknowledgement.objects.filter(activation=OuterRef("pk"))
    return Activation.objects.filter(Exists(proofs), drill=True, stopped_at__isnull=False)


def evidence(*, limit: int, before_id: int | None = None) -> tuple[list[Evidence], int | None]:
    """The newest drills, and the `before_id` of the next page (None: there is none). Three queries."""
    rows = Activation.objects.filter(drill=True).order_by("-id")
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    proofs = Acknowledgement.objects.select_related("client").order_by("-ms", "client__name", "pk")
    found = list(rows.prefetch_related(Prefetch("acknowledgements", queryset=proofs))[: limit + 1])
    shown = [Evidence(episode) for episode in found[:limit]]
    return shown, found[limit - 1].pk if len(found) > limit else None
