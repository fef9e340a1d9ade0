"""Reads of health: all components as they are now, one of them, its changes and its days."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from monitoring.health.choices import Kind, Status
from monitoring.health.models import HealthChange, HealthComponent, HealthDay
from monitoring.health.state import worst

# On the pages and in the API alike; trading processes come after what the console itself is made of, targets last.
ORDER = {kind: place for place, kind in enumerate(Kind)}
DAYS = 90


@dataclass(frozen=True, slots=True)
class Component:
    """A component at `now`. `status`: unknown when its result is too old to count. `age_seconds` None: it was never looked at."""

    row: HealthComponent
    now: datetime
    status: Status
    stale: bool
    age_seconds: float | None

    @property
    def watched(self) -> bool:
        """Whether its status counts: not when it is switched off, or a trading process that has ended in good order."""
        return self.row.enabled and (self.status != Status.UNKNOWN or self.stale)

    @property
    def message(self) -> str:
        if not self.row.enabled:
            return "Not looked at: switched off"
        if self.row.checked_at is None:
            return "Not looked at yet"
        if self.stale:
            return f"Nobody has looked at it for {self.age_seconds or 0:,.0f} s. Last: {self.row.message}"
        return self.row.message

    @property
    def weight(self) -> Status:
        """What it does to the whole: what is not essential makes it degraded at most."""
        if self.status == Status.UNHEALTHY and not self.row.essential:
            return Status.DEGRADED
        return self.status


@dataclass(frozen=True, slots=True)
class Board:
    """All components that are not retired, in their order."""

    now: datetime
    components: Sequence[Component]

    @property
    def status(self) -> Status:
        """Of the whole: the worst that counts."""
        return worst([component.weight for component in self.components if component.watched])

    @property
    def abnormal(self) -> list[Component]:
        """What is degraded or unhealthy, the worst first."""
        found = [one for one in self.components if one.status in (Status.UNHEALTHY, Status.DEGRADED)]
        return sorted(found, key=lambda one: (one.status != Status.UNHEALTHY, not one.row.essential))

    @property
    def stale(self) -> list[Component]:
        return [one for one in self.components if one.stale]

    def counts(self) -> dict[Status, int]:
        return {status: sum(one.status == status for one in self.components) for status in Status}

    def first(self, kind: Kind) -> Component | None:
        """The one of a kind that every console has once."""
        return next((one for one in self.components if one.row.kind == kind), None)

    def named(self, name: str) -> Component | None:
        """By slug or printed name, in any case."""
        wanted = name.strip().casefold()
        return next(
            (one for one in self.components if wanted in (one.row.slug.casefold(), one.row.name.casefold())),
            None,
        )


def board(*, now: datetime | None = None) -> Board:
    """One query."""
    moment = now or timezone.now()
    return Board(moment, at(HealthComponent.objects.filter(retired_at=None), now=moment))


def at(rows: Iterable[HealthComponent], *, now: datetime) -> list[Component]:
    """Rows as they are at `now`, in the order in which they are shown."""
    ordered = sorted(rows, key=lambda row: (ORDER[Kind(row.kind)], row.name.casefold()))
    return [one(row, now=now) for row in ordered]


def one(row: HealthComponent, *, now: datetime) -> Component:
    """No query."""
    return Component(
        row=row,
        now=now,
        status=row.status_at(now),
        stale=row.enabled and row.is_stale(now=now),
        age_seconds=None if row.checked_at is None else max(0.0, (now - row.checked_at).total_seconds()),
    )


def changes(
    *,
    component: HealthComponent | None = None,
    limit: int = 50,
    before_id: int | None = None,
    to: str = "",
    search: str = "",
) -> list[HealthChange]:
    """The newest changes of status, of one component or all, each with its component. Pages by `before_id`: smaller ids.

    `to`: to this status alone; `search`: part of the message.
    """
    found = HealthChange.objects.select_related("component").order_by("-id")
    if component is not None:
        found = found.filter(component=component)
    if to:
        found = found.filter(after=to)
    if search:
        found = found.filter(message__icontains=search)
    if before_id is not None:
        found = found.filter(pk__lt=before_id)
    return list(found[:limit])


@dataclass(frozen=True, slots=True)
class Day:
    """Seconds in each status; what is missing to the whole day was before the component was there, or is still to come."""

    day: date
    seconds: dict[Status, float]

    @property
    def worst(self) -> Status:
        """UNKNOWN also for a day on which nothing was looked at."""
        return worst([status for status in Status if self.seconds[status] > 0])

    @property
    def healthy_pct(self) -> float | None:
        """Of the time that something is known of; None: nothing is."""
        known = sum(self.seconds[status] for status in Status if status != Status.UNKNOWN)
        return 100 * self.seconds[Status.HEALTHY] / known if known else None


def days(
    component_ids: Iterable[int], *, count: int = DAYS, now: datetime | None = None
) -> dict[int, list[Day]]:
    """The last `count` days of each, oldest first, today included; days without anything have zeros. One query."""
    today = timezone.localtime(now or timezone.now()).date()
    span = [today - timedelta(days=back) for back in reversed(range(count))]
    ids = list(component_ids)
    found: dict[tuple[int, date], dict[Status, float]] = {
        (row.component_id, row.day): {status: float(getattr(row, status)) for status in Status}
        for row in HealthDay.objects.filter(component_id__in=ids, day__gte=span[0])
    }
    nothing: dict[Status, float] = dict.fromkeys(Status, 0.0)
    return {pk: [Day(day, found.get((pk, day), nothing)) for day in span] for pk in ids}


def resources(found: Board) -> dict[str, float | None]:
    """The guide's `system_resources`; None: not known now."""

    def number(kind: Kind, name: str) -> float | None:
        component = found.first(kind)
        if component is None or component.stale or not component.row.enabled:
            return None
        value: Any = component.row.metadata.get(name)
        return float(value) if isinstance(value, int | float) else None

    return {
        "cpu_percent": number(Kind.CPU, "used_pct"),
        "memory_percent": number(Kind.MEMORY, "used_pct"),
        "disk_free_gb": number(Kind.DISK, "free_gb"),
    }
