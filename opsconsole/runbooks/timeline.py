"""What happened during an incident, put together by itself: from the audit trail (with the kill switch, and the incident's own steps and notes),
the alerts, the circuit breakers and health. Newest first, in pages by key; each page is a short walk along an index of each source.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from alerts import walks
from alerts.choices import AlertState, Decision
from alerts.models import Alert
from alerts.redaction import redact
from monitoring.breakers.choices import State, Why
from monitoring.breakers.models import BreakerTransition
from monitoring.health.choices import Status
from monitoring.health.models import HealthChange
from opsconsole.audit.models import AuditEvent
from opsconsole.console import wording
from opsconsole.runbooks.choices import Shown
from opsconsole.runbooks.models import Incident

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
OWN = "runbooks.incident"
# The rows of breakers and of health tell the same, of each process, and with the time at which it happened.
TOLD_ELSEWHERE = ("breakers.opened", "breakers.closed", "health.changed")
# Actions of the audit trail, by what they are about.
PREFIXES = {
    Shown.INCIDENT: "incidents.",
    Shown.ALERTS: "alerts.",
    Shown.BREAKERS: "breakers.",
    Shown.SWITCH: "killswitch.",
    Shown.HEALTH: "health.",
}


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Where an entry stands: `rank` is its source's place in SOURCES."""

    at: datetime
    rank: int
    id: int

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // MICROSECOND}-{self.rank}-{self.id}"

    @classmethod
    def read(cls, text: str) -> "Key":
        """Raises ValueError: it is no `next` of a timeline."""
        parts = text.split("-")
        if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
            raise ValueError("must be a `next` of this list")
        at, rank, pk = map(int, parts)
        try:
            return cls(EPOCH + at * MICROSECOND, rank, pk)
        except OverflowError:
            raise ValueError("must be a `next` of this list") from None


@dataclass(frozen=True, slots=True)
class Entry:
    """`who` is empty for what nobody did. `text`: what was said with it. `tone`: `bad` or `held` (amber), as in an alert's story."""

    key: Key
    kind: Shown
    icon: str
    who: str
    words: str
    text: str = ""
    url: str = ""
    tone: str = ""

    @property
    def at(self) -> datetime:
        return self.key.at

    @property
    def filled(self) -> bool:
        return self.icon == "player-stop"


@dataclass(frozen=True, slots=True)
class Page:
    """`next_key`: pass it as `before` for older entries; None on the last page."""

    entries: list[Entry]
    next_key: Key | None


@dataclass(frozen=True, slots=True)
class Window:
    """The time of an incident; `end` None: it goes on."""

    incident_id: int
    start: datetime
    end: datetime | None

    @classmethod
    def of(cls, incident: Incident, *, before: "Key | None" = None) -> "Window":
        """The part of it that older entries than `before` are in."""
        # The closing itself belongs to it, and so does what was at the same time as `before`.
        ends = [moment for moment in (incident.closed_at, before.at if before else None) if moment]
        return cls(incident.pk, incident.since, min(ends) + MICROSECOND if ends else None)


@dataclass(frozen=True, slots=True)
class Source:
    """`rows`: of the window, in no order; `at`: the column of their time; `entry`: one of them, as it is shown."""

    kind: Shown
    at: str
    rows: Callable[[Window, Shown], "QuerySet[Any]"]
    entry: Callable[[Key, Any], Entry]


def page(incident: Incident, *, limit: int, shown: Shown = Shown.ALL, before: Key | None = None) -> Page:
    """The newest entries, older than `before`."""
    window, found = Window.of(incident, before=before), []
    for rank, source in enumerate(SOURCES):
        if shown not in (Shown.ALL, source.kind) and source.kind != Shown.OTHER:
            continue
        rows = source.rows(window, shown)
        rows = rows.filter(_within(source.at, window, before, rank)).order_by(f"-{source.at}", "-pk")
        found += [source.entry(Key(getattr(row, source.at), rank, row.pk), row) for row in rows[: limit + 1]]
    newest = nlargest(limit + 1, found, key=lambda entry: entry.key)
    return Page(newest[:limit], newest[limit - 1].key if len(newest) > limit else None)


def whole(incident: Incident, *, most: int, size: int = 500) -> Iterator[Entry]:
    """Newest first, at most so many."""
    before: Key | None = None
    while most > 0:
        found = page(incident, limit=min(size, most), before=before)
        yield from found.entries
        most -= len(found.entries)
        before = found.next_key
        if before is None:
            return


def _within(column: str, window: Window, before: Key | None, rank: int) -> Q:
    found = Q(**{f"{column}__gte": window.start})
    if window.end is not None:
        found &= Q(**{f"{column}__lt": window.end})
    if before is not None:
        older = Q(**{f"{column}__lt": before.at})
        if rank < before.rank:
            older |= Q(**{column: before.at})
        elif rank == before.rank:
            older |= Q(**{column: before.at, "pk__lt": before.id})
        found &= older
    return found


# The audit trail


def _events(window: Window, shown: Shown) -> "QuerySet[Any]":
    rows = AuditEvent.objects.exclude(action__in=TOLD_ELSEWHERE)
    # What belongs to another incident is told there.
    rows = rows.filter(~Q(object_type=OWN) | Q(object_id=str(window.incident_id)))
    if shown in PREFIXES:
        return rows.filter(action__startswith=PREFIXES[shown])
    if shown == Shown.OTHER:
        for prefix in PREFIXES.values():
            rows = rows.exclude(action__startswith=prefix)
    return rows


def _event(key: Key, event: AuditEvent) -> Entry:
    kind = next((kind for kind, prefix in PREFIXES.items() if event.action.startswith(prefix)), Shown.OTHER)
    words = wording.words_of(event)
    if kind == Shown.INCIDENT:
        words = _own_words(event)
    return Entry(
        key,
        kind,
        wording.icon_of(event),
        redact(event.actor_name),
        redact(words),
        redact(event.reason),
        f"{reverse('audit')}?q={event.pk}",
        "bad" if event.action == "killswitch.activated" else "",
    )


OWN_WORDS = {
    "incidents.started": "started the incident",
    "incidents.runbook_opened": "opened the runbook {runbook}",
    "incidents.alert_joined": "joined alert {alert}",
    "incidents.noted": "noted",
    "incidents.step_done": "did step {step}",
    "incidents.step_taken_back": "took back step {step}",
    "incidents.closed": "closed the incident",
}


def _own_words(event: AuditEvent) -> str:
    """Without the incident's title, which stands above."""
    known = {name: str(event.metadata.get(name, "")) for name in ("runbook", "alert", "step")}
    return OWN_WORDS.get(event.action, event.action).format(**known)


# Alerts


def _raised(window: Window, _shown: Shown) -> "QuerySet[Any]":
    """Their ids are nearly in the order of their times, which has no index of its own."""
    return Alert.objects.filter(
        walks.range_of(before_id=None, since=window.start, until=window.end).as_q()
    ).only("priority", "title", "message", "decision", "first_at", "source", "raised_by")


def _alert_raised(key: Key, alert: Alert) -> Entry:
    told = "" if alert.decision == Decision.SENT else f" (not sent: {alert.decision})"
    tone = {"CRITICAL": "bad", "HIGH": "held"}.get(alert.priority, "")
    return Entry(
        key,
        Shown.ALERTS,
        "bell",
        "",
        redact(f"{alert.priority} alert: {alert.title}{told}"),
        redact(alert.message),
        reverse("alert", args=[alert.pk]),
        tone if not told else "",
    )


def _resolved(_window: Window, _shown: Shown) -> "QuerySet[Any]":
    return Alert.objects.filter(state=AlertState.RESOLVED).only("title", "resolved_at", "resolved_by")


def _alert_resolved(key: Key, alert: Alert) -> Entry:
    by = f", by {alert.resolved_by}" if alert.resolved_by else ""
    return Entry(
        key,
        Shown.ALERTS,
        "circle-check",
        "",
        redact(f"Over: {alert.title}{by}"),
        url=reverse("alert", args=[alert.pk]),
    )


# Breakers, health


def _transitions(_window: Window, _shown: Shown) -> "QuerySet[Any]":
    return BreakerTransition.objects.select_related("breaker")


def _transition(key: Key, change: BreakerTransition) -> Entry:
    why = Why(change.why).label if change.why in Why.values else change.why
    before, after = (State(state).label for state in (change.from_state, change.to_state))
    cause = f"{change.cause_type}: {change.cause_text}" if change.cause_type else ""
    tone = {State.OPEN: "bad", State.HALF_OPEN: "held"}.get(State(change.to_state), "")
    return Entry(
        key,
        Shown.BREAKERS,
        "octagon" if change.to_state == State.OPEN else "circle",
        "",
        redact(f"Breaker {change.breaker.name} went from {before} to {after} in {change.client}: {why}"),
        redact(cause),
        reverse("breaker", args=[change.breaker.name]),
        tone,
    )


def _changes(_window: Window, _shown: Shown) -> "QuerySet[Any]":
    return HealthChange.objects.select_related("component")


def _change(key: Key, change: HealthChange) -> Entry:
    tone = {Status.UNHEALTHY: "bad", Status.DEGRADED: "held"}.get(Status(change.after), "")
    return Entry(
        key,
        Shown.HEALTH,
        "circle-check" if change.after == Status.HEALTHY else "alert-triangle",
        "",
        redact(f"{change.component.name} is {change.after}, was {change.before}"),
        redact(change.message),
        reverse("health-component", args=[change.component.slug]),
        tone,
    )


# The audit trail is of every kind. The order decides between entries of one instant, so it does not change.
SOURCES: Sequence[Source] = (
    Source(Shown.OTHER, "at", _events, _event),
    Source(Shown.ALERTS, "first_at", _raised, _alert_raised),
    Source(Shown.ALERTS, "resolved_at", _resolved, _alert_resolved),
    Source(Shown.BREAKERS, "at", _transitions, _transition),
    Source(Shown.HEALTH, "at", _changes, _change),
)
