"""What the pages show of alerts in lists: who is needed, what is open, and one alert as a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.utils import timezone

from alerts.choices import AlertState, Decision, Priority
from alerts.halts import GLOBAL
from alerts.models import Alert
from alerts.verbs import scope_of
from alerts.wording import sentence, word_of
from opsconsole.live.badges import Badge

ICONS = {
    Priority.CRITICAL: ("octagon", True),
    Priority.HIGH: ("alert-triangle", True),
    Priority.MEDIUM: ("square-rotated", False),
    Priority.LOW: ("circle", False),
}
URGENT = frozenset({Priority.CRITICAL, Priority.HIGH})
# Rows of "needs you"; the rest is counted.
NEEDING_ROWS = 50
NEWS_ROWS = 5
# How far "1 of 3 that need you" counts.
LINE = 500


@dataclass(frozen=True, slots=True)
class Open:
    """How many alerts need somebody, and how many of these are overdue."""

    total: int
    overdue: int

    @property
    def words(self) -> str:
        return f"{self.total:,} open, {self.overdue:,} overdue" if self.overdue else f"{self.total:,} open"

    @property
    def badge(self) -> Badge:
        late = f", {self.overdue:,} overdue" if self.overdue else ""
        return Badge(self.total, f"open{late}", f"{self.words} alerts", bad=self.overdue > 0)


@dataclass(frozen=True, slots=True)
class Row:
    """One alert as lists and heads show it, at `now`."""

    alert: Alert
    now: datetime
    # The worst of its list, which alone is tinted.
    worst: bool = False

    @property
    def icon(self) -> str:
        return ICONS[Priority(self.alert.priority)][0]

    @property
    def filled(self) -> bool:
        return ICONS[Priority(self.alert.priority)][1]

    @property
    def firing(self) -> bool:
        return self.alert.state == AlertState.FIRING

    @property
    def owned(self) -> bool:
        """Somebody acknowledged it, and that has not run out."""
        alert = self.alert
        if not self.firing or alert.acknowledged_at is None:
            return False
        return alert.acknowledged_until is None or alert.acknowledged_until > self.now

    @property
    def waiting(self) -> bool:
        """Somebody must own it by `due_at`."""
        return self.firing and not self.owned and self.alert.due_at is not None

    @property
    def overdue(self) -> bool:
        due = self.alert.due_at
        return self.waiting and due is not None and due <= self.now

    @property
    def late(self) -> timedelta | None:
        """How long it has been overdue."""
        return self.now - self.alert.due_at if self.alert.due_at is not None else None

    @property
    def left(self) -> timedelta | None:
        """Until it is due."""
        return self.alert.due_at - self.now if self.alert.due_at is not None else None

    @property
    def tone(self) -> str:
        """The class of its colour: red overdue or CRITICAL, amber HIGH and not due yet; grey whatever needs nobody."""
        if not self.waiting:
            return "oc-muted"
        if self.overdue or self.alert.priority == Priority.CRITICAL:
            return "oc-bad"
        return "oc-warn" if self.alert.priority == Priority.HIGH else ""

    @property
    def digest_at(self) -> datetime | None:
        """When a digest told it, if it was told in no other way. (The time may also be that of an earlier incident, carried over.)"""
        alert = self.alert
        if alert.sent_count or alert.last_sent_at is None or alert.last_sent_at < alert.first_at:
            return None
        return alert.last_sent_at

    @property
    def sent(self) -> bool:
        return self.alert.sent_count > 0 or self.alert.sent_directly or self.digest_at is not None

    @property
    def reason(self) -> str:
        """Why it was sent, or not."""
        return sentence(self.alert.decision, self.alert.trace)

    @property
    def decision(self) -> str:
        """What became of it: sent once is sent, whatever became of its repeats."""
        return word_of(Decision.SENT if self.sent else self.alert.decision)

    @property
    def scope(self) -> str:
        """What a stop for this alert would stop: `symbol:IBM`, or `global`."""
        return scope_of(self.alert.labels)

    @property
    def scope_name(self) -> str:
        """`IBM` of `symbol:IBM`; empty for all trading."""
        return "" if self.scope == GLOBAL else self.scope.partition(":")[2] or self.scope


def rows(alerts: Sequence[Alert] | QuerySet[Alert], *, now: datetime | None = None) -> list[Row]:
    at = now or timezone.now()
    return [Row(alert, at) for alert in alerts]


def unowned(now: datetime) -> QuerySet[Alert]:
    """Firing, told to somebody, and owned by nobody."""
    nobody = Q(acknowledged_at=None) | Q(acknowledged_until__lte=now)
    return Alert.objects.filter(nobody, state=AlertState.FIRING, due_at__isnull=False)


def in_line(now: datetime) -> QuerySet[Alert]:
    """What needs somebody, in the order in which to look at it."""
    late = Case(
        *(When(due_at__lte=now, priority=priority.value, then=Value(priority.rank)) for priority in Priority),
        default=Value(-1),
    )
    return unowned(now).order_by(late.desc(), "due_at", "id")


def needing(*, limit: int = NEEDING_ROWS, now: datetime | None = None) -> list[Row]:
    """Overdue first (the more urgent before the others), then by due time. One query."""
    at = now or timezone.now()
    found = list(in_line(at)[:limit])
    return [Row(alert, at, worst=number == 0 and _late(alert, at)) for number, alert in enumerate(found)]


def _late(alert: Alert, now: datetime) -> bool:
    return alert.due_at is not None and alert.due_at <= now


def opened(*, now: datetime | None = None) -> Open:
    """One query over what is due."""
    at = now or timezone.now()
    found = unowned(at).aggregate(total=Count("id"), overdue=Count("id", filter=Q(due_at__lte=at)))
    return Open(found["total"], found["overdue"])


def newest_urgent(*, now: datetime | None = None) -> list[Row]:
    """CRITICAL and HIGH ones that need somebody, newest first: what the page says aloud."""
    at = now or timezone.now()
    found = unowned(at).filter(priority__in=URGENT, sent_count__gt=0).order_by("-id")[:NEWS_ROWS]
    return rows(found, now=at)


@dataclass(frozen=True, slots=True)
class PlaceInLine:
    """Where an alert stands among those that need somebody."""

    number: int
    total: int
    previous_id: int | None
    next_id: int | None


def place_of(alert: Alert, *, now: datetime) -> PlaceInLine | None:
    """None: it needs nobody. One query."""
    ids = list(in_line(now).values_list("id", flat=True)[:LINE])
    if alert.pk not in ids:
        return None
    at = ids.index(alert.pk)
    return PlaceInLine(
        number=at + 1,
        total=len(ids),
        previous_id=ids[at - 1] if at else None,
        next_id=ids[at + 1] if at + 1 < len(ids) else None,
    )
