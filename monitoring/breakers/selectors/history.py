"""What breakers did, and what they were told: the newest first."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, Q

from monitoring.breakers.models import BreakerApplied, BreakerCommand, BreakerTransition


@dataclass(frozen=True, slots=True)
class TransitionPage:
    """`next_id`: pass it as `before_id` for older ones; None on the last page."""

    results: list[BreakerTransition]
    next_id: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command has come: `applied` of `of` processes. `waiting`: who has not."""

    applied: int
    of: int
    waiting: list[str]


def transitions(
    *,
    breaker_id: int | None = None,
    limit: int = 50,
    before_id: int | None = None,
    to: str = "",
    client: str = "",
    search: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> TransitionPage:
    """The newest by their own times, with their `breaker`. `search`: part of the client's name, or of the cause.

    An unknown `before_id` begins at the newest.
    """
    rows = BreakerTransition.objects.select_related("breaker").order_by("-at", "-id")
    wanted = {"breaker_id": breaker_id, "at__gte": since, "at__lt": until}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    if to:
        rows = rows.filter(to_state=to)
    if client:
        rows = rows.filter(client=client)
    if search:
        said = Q(cause_type__icontains=search) | Q(cause_text__icontains=search)
        rows = rows.filter(Q(client__icontains=search) | said)
    if before_id is not None:
        at = BreakerTransition.objects.filter(pk=before_id).values_list("at", flat=True).first()
        rows = rows if at is None else rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=before_id))
    found = list(rows[: limit + 1])
    return TransitionPage(found[:limit], found[limit - 1].pk if len(found) > limit else None)


def commands(breaker_id: int | None = None, *, limit: int = 10) -> list[BreakerCommand]:
    """The newest that this breaker (None: any) was told, those to all included, with their `processes`."""
    rows = BreakerCommand.objects.select_related("breaker").order_by("-id")
    if breaker_id is not None:
        rows = rows.filter(Q(breaker_id=breaker_id) | Q(breaker=None))
    told = Prefetch("processes", queryset=BreakerApplied.objects.order_by("client", "pk"))
    return list(rows.prefetch_related(told)[:limit])


def progress(command_id: int) -> Progress:
    rows = list(BreakerApplied.objects.filter(command_id=command_id).order_by("client", "pk"))
    waiting = [row.client for row in rows if row.at is None]
    return Progress(applied=len(rows) - len(waiting), of=len(rows), waiting=waiting)
