"""What a changed rule would have made of the alerts that are stored: the pure decision, run over them again.

What is known of each alert is its incident: every decision that was taken, how often it was repeated, and from when to when. The repeats are spread
evenly over that time, since the time of each is not kept; counts of hours in which many repeats fell are therefore close, not exact. Each alert
counts with the priority that its incident has now. Silences and stops are those that held it then; one that an earlier gate hid is not known.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from alerts.choices import Decision, Gate
from alerts.decision import FLAPPING, HaltSeen, Request, RuleState, SilenceSeen, Verdict, decide, hour_of
from alerts.models import Alert

# Incidents looked at, the newest ones.
MOST = 50_000
# The repeats of one decision are told apart at so many times.
POINTS = 200
EXAMPLES = 50
COLUMNS = (
    *("id", "fingerprint", "title", "priority", "flaps", "first_at", "history"),
    *("decision", "decided_at", "trace", "repeats", "repeated_at"),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """An alert that would have fared otherwise. `trace`: of the new decision."""

    alert_id: int
    title: str
    priority: str
    at: datetime
    then: Decision
    now: Decision
    trace: list[dict[str, Any]]


@dataclass(slots=True)
class Replayed:
    """`then` and `now`: alerts by decision. `changed`: those with another one; `examples`: the first of them. `complete`: all were looked at."""

    then: Counter[Decision] = field(default_factory=Counter)
    now: Counter[Decision] = field(default_factory=Counter)
    changed: int = 0
    examples: list[Difference] = field(default_factory=list)
    complete: bool = True

    @property
    def total(self) -> int:
        return self.then.total()

    @property
    def would_send(self) -> int:
        return self.now[Decision.SENT]

    @property
    def would_suppress(self) -> dict[Decision, int]:
        return {decision: count for decision, count in self.now.items() if decision != Decision.SENT}


def replay(*, rule: RuleState, since: datetime, until: datetime, most: int = MOST) -> Replayed:
    """Run this rule over the alerts of its category that were raised from `since` to before `until`. Nothing is written."""
    found = Alert.objects.filter(category=rule.category, last_at__gte=since, first_at__lt=until)
    incidents = list(found.order_by("-pk").values(*COLUMNS)[: most + 1])
    replaying = _Replaying(rule, since, until)
    # What was sent in the hour, and in the window, before counts too.
    warm = min(since - rule.window, hour_of(since))
    raised = (event for incident in incidents[:most] for event in _events(incident) if event.at < until)
    for event in sorted((event for event in raised if event.at >= warm), key=_order):
        replaying.take(event)
    replaying.result.complete = len(incidents) <= most
    return replaying.result


class _Event(NamedTuple):
    """One alert, or `weight` of them at the same time. `first`: of its decision."""

    at: datetime
    weight: int
    first: bool
    incident: Mapping[str, Any]
    then: Decision
    trace: Sequence[Mapping[str, Any]]


class _Incident:
    """What the replayed decisions have made of it. `held_until`: the end of the quiet hours that hold it back."""

    __slots__ = ("held_until", "last_sent_at", "sent")

    def __init__(self, last_sent_at: datetime | None) -> None:
        self.last_sent_at, self.sent = last_sent_at, False
        self.held_until: datetime | None = None

    def released(self, at: datetime) -> None:
        """Quiet hours that are over have told it in their digest."""
        if self.held_until is not None and self.held_until <= at:
            self.last_sent_at, self.held_until = self.held_until, None


class _Replaying:
    def __init__(self, rule: RuleState, since: datetime, until: datetime) -> None:
        self.rule, self.since, self.until = rule, since, until
        self.result = Replayed()
        self._incidents: dict[int, _Incident] = {}
        self._newest: dict[UUID, _Incident] = {}
        self._sent: Counter[datetime] = Counter()

    def take(self, event: _Event) -> None:
        left = event.weight
        while left:
            verdict = self._decide(event, first=event.first and left == event.weight)
            taken = 1 if verdict.decision == Decision.SENT else left
            if event.at >= self.since:
                self._count(event, verdict, taken)
            left -= taken

    def _decide(self, event: _Event, *, first: bool) -> Verdict:
        incident = self._incident(event)
        incident.released(event.at)
        flaps = event.incident["flaps"]
        verdict = decide(
            Request(
                at=event.at,
                priority=event.incident["priority"],
                forced=_seen(event, Gate.FORCE).get("forced", False),
                silences=_seen(event, Gate.SILENCE).get("active", 0),
                silence=_silence(event),
                halt=_halt(event),
                last_sent_at=incident.last_sent_at,
                raised_from=_seen(event, Gate.DEDUPE).get("raised_from") if first else None,
                sent_this_hour=self._sent[hour_of(event.at)],
                flaps=flaps if incident.last_sent_at is not None and not incident.sent else 0,
            ),
            self.rule,
        )
        if verdict.decision == Decision.SENT:
            incident.last_sent_at, incident.sent, incident.held_until = event.at, True, None
            self._sent[hour_of(event.at)] += 1
        elif verdict.decision == Decision.QUIET_HOURS:
            incident.held_until = datetime.fromisoformat(verdict.trace[-1]["until"])
        return verdict

    def _incident(self, event: _Event) -> _Incident:
        pk, known = event.incident["id"], event.incident["fingerprint"]
        incident = self._incidents.get(pk)
        if incident is None:
            before = self._newest.get(known)
            flapping = event.incident["flaps"] >= FLAPPING
            incident = _Incident(before.last_sent_at if before is not None and flapping else None)
            self._incidents[pk] = self._newest[known] = incident
        return incident

    def _count(self, event: _Event, verdict: Verdict, number: int) -> None:
        result = self.result
        result.then[event.then] += number
        result.now[verdict.decision] += number
        if event.then == verdict.decision:
            return
        result.changed += number
        if len(result.examples) < EXAMPLES:
            incident = event.incident
            result.examples.append(
                Difference(
                    alert_id=incident["id"],
                    title=incident["title"],
                    priority=incident["priority"],
                    at=event.at,
                    then=event.then,
                    now=verdict.decision,
                    trace=verdict.trace,
                )
            )


def _events(incident: Mapping[str, Any]) -> Iterator[_Event]:
    newest = {
        "decision": incident["decision"],
        "at": incident["decided_at"],
        "until": incident["repeated_at"] or incident["decided_at"],
        "count": incident["repeats"] + 1,
        "trace": incident["trace"],
    }
    for entry in (*incident["history"], newest):
        begin, end, count = _moment(entry["at"]), _moment(entry["until"]), entry["count"]
        points = min(count, POINTS)
        for index in range(points):
            part = (end - begin) * index / max(points - 1, 1)
            weight = count // points + (index < count % points)
            then = Decision(entry["decision"])
            yield _Event(begin + part, weight, index == 0, incident, then, entry["trace"])


def _order(event: _Event) -> tuple[datetime, bool, int]:
    # What begins a decision comes before the repeats of the same moment.
    return event.at, not event.first, event.incident["id"]


def _seen(event: _Event, gate: Gate) -> Mapping[str, Any]:
    return next((facts for facts in event.trace if facts["gate"] == gate), {})


def _silence(event: _Event) -> SilenceSeen | None:
    facts = _seen(event, Gate.SILENCE)
    if facts.get("passed", True):
        return None
    return SilenceSeen(facts["silence"], facts["by"], _moment(facts["until"]), facts["comment"])


def _halt(event: _Event) -> HaltSeen | None:
    because = _seen(event, Gate.EXPECTED).get("because")
    return because and HaltSeen(because["scope"], _moment(because["since"]), because["activation"])


def _moment(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
