"""One batch of alerts, decided in memory, one after the other: nothing here reads or writes rows of its own accord.

What it is given, and what it leaves behind, is in its attributes; `alerts.services.raising` loads and stores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from alerts import halts
from alerts.choices import AlertState, Decision, DeliveryKind
from alerts.decision import FLAPPING, RANKS, HaltSeen, Request, RuleState, SilenceSeen, decide, hour_of
from alerts.labels import seen_labels
from alerts.models import ResponseTime
from alerts.policy import PolicyNow
from alerts.quiet import Quiet
from alerts.response import due
from alerts.services.counting import Tallies
from alerts.services.incidents import Incident, Words, encoded
from alerts.services.raised import NOTHING, Outcome, RaisedAlert
from alerts.services.storing import Earlier

# Enumerations are slow to ask.
SENT, DISABLED, SILENCED, DEDUPED = Decision.SENT, Decision.DISABLED, Decision.SILENCED, Decision.DEDUPED
RATE_LIMITED, QUIET_HOURS = Decision.RATE_LIMITED, Decision.QUIET_HOURS
BEFORE_SILENCES = (DISABLED, SILENCED)

HOUR = timedelta(hours=1)
# A decision that nothing but a change of policy ends is asked again after so long.
STANDING = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An alert with what is worked out from it alone."""

    alert: RaisedAlert
    fingerprint: UUID
    words: Words
    content: int


class Batch:
    """`ids` of new incidents, one for each alert; `sent`: alerts sent this hour by category. `incidents`: all that were touched, in order."""

    def __init__(
        self,
        *,
        at: datetime,
        raised_by: str,
        policy: PolicyNow,
        times: Mapping[str, ResponseTime],
        stops: Sequence[halts.Halt],
        open_incidents: dict[UUID, Incident],
        earlier: dict[UUID, Earlier],
        sent: dict[str, int],
    ) -> None:
        self.at, self.raised_by = at, raised_by
        self.policy, self.times, self.stops = policy, times, stops
        self.open, self.earlier, self.sent = open_incidents, earlier, sent
        self.incidents: dict[int, Incident] = {}
        self.told: list[tuple[DeliveryKind, int]] = []
        self.reached: set[str] = set()
        self.tallies = Tallies()
        self._active = policy.silences.active(at=at) if policy.silences else 0
        self._next_change = policy.silences.next_change(after=at) if policy.silences else None
        self._quiet: dict[str, Quiet] = {}
        self._verdicts: dict[tuple[str, Request], tuple[Decision, str]] = {}

    def take(self, item: Prepared, *, new_id: int) -> Outcome:
        """Decide the next alert."""
        alert = item.alert
        incident = self.open.get(item.fingerprint)
        if incident is not None and incident.ends_at is not None and incident.ends_at <= self.at:
            # The sweep would have ended it by now.
            self.end(incident, at=incident.ends_at, by="")
            incident = None
        if alert.resolved or (alert.ends_at is not None and alert.ends_at <= self.at):
            return self._resolve(incident, alert)
        if incident is None:
            incident = self._begin(item, new_id)
            self._decide(incident, item, raised_from=None)
            return _outcome(incident, new=True)
        self._repeat(incident, item)
        return _outcome(incident, new=False)

    def end(self, incident: Incident, *, at: datetime, by: str) -> None:
        """The incident is over; whoever was told of it is told."""
        incident.end(at=at, by=by)
        self.incidents[incident.id] = incident
        if incident.sent_count:
            self.told.append((DeliveryKind.RESOLVED, incident.id))
        self.open.pop(incident.fingerprint, None)
        self.earlier[incident.fingerprint] = Earlier(incident.last_sent_at, incident.flaps)

    def again(self, incident: Incident, labels: Mapping[str, str]) -> None:
        """Decide an open incident again without a new alert, since what held it is over."""
        self.incidents[incident.id] = incident
        self._ask(incident, labels, again=True)
        if incident.decision == SENT:
            self.tallies.add_sent(category=incident.category, title=incident.title)

    def _resolve(self, incident: Incident | None, alert: RaisedAlert) -> Outcome:
        if incident is None:
            return NOTHING
        if alert.ends_at is not None and alert.ends_at <= self.at:
            incident.ends_at = alert.ends_at
        self.end(incident, at=self.at, by=self.raised_by)
        return _outcome(incident, new=False)

    def _begin(self, item: Prepared, new_id: int) -> Incident:
        alert, before = item.alert, self.earlier.get(item.fingerprint)
        flaps = 0 if before is None else before.flaps + 1
        incident = Incident(
            id=new_id,
            new=True,
            fingerprint=item.fingerprint,
            category=alert.category,
            priority=self._priority(alert),
            title=alert.title,
            words=item.words,
            content=item.content,
            source=alert.source,
            raised_by=self.raised_by,
            starts_at=alert.starts_at or self.at,
            first_at=self.at,
            last_at=self.at,
            ends_at=alert.ends_at,
            count=1,
            flaps=flaps,
            decision="",
            decided_at=self.at,
            stored_trace="[]",
            stored_history="[]",
            repeats=0,
            repeated_at=None,
            dedupe_until=None,
            settled_until=None,
            policy=self.policy.version,
            sent_at=None,
            last_sent_at=before.last_sent_at if before is not None and flaps >= FLAPPING else None,
            sent_count=0,
            held=False,
            forced=alert.force,
            sent_directly=alert.sent_directly,
            acknowledged_at=None,
            due_at=None,
            escalate_at=None,
        )
        self.open[item.fingerprint] = self.incidents[new_id] = incident
        return incident

    def _repeat(self, incident: Incident, item: Prepared) -> None:
        alert = item.alert
        self.incidents[incident.id] = incident
        incident.count += 1
        incident.last_at = max(incident.last_at, self.at)
        if alert.starts_at is not None:
            incident.starts_at = min(incident.starts_at, alert.starts_at)
        if alert.ends_at is not None:
            incident.ends_at = (
                alert.ends_at if incident.ends_at is None else max(incident.ends_at, alert.ends_at)
            )
        priority, raised_from = self._priority(alert), None
        if RANKS[priority] > RANKS[incident.priority]:
            raised_from, incident.priority = incident.priority, priority
        stands = raised_from is None and not alert.force and self._stands(incident)
        if incident.content != item.content:
            # Under a key of the sender's own, other labels may come with other words.
            stands = stands and alert.dedupe_key is None
            incident.words, incident.content = item.words, item.content
            incident.title, incident.category = alert.title, alert.category
        if stands:
            incident.repeat(1, at=self.at)
            self._tally(incident)
            return
        incident.forced |= alert.force
        incident.sent_directly |= alert.sent_directly
        self._decide(incident, item, raised_from=raised_from)

    def _stands(self, incident: Incident) -> bool:
        """Whether the newest decision would be made again."""
        if incident.policy != self.policy.version or incident.settled_until is None:
            return False
        if incident.decision == QUIET_HOURS and incident.category in self.reached:
            return False
        return incident.settled_until > self.at

    def _decide(self, incident: Incident, item: Prepared, *, raised_from: str | None) -> None:
        self._ask(incident, item.alert.labels, forced=item.alert.force, raised_from=raised_from)
        self._tally(incident)

    def _ask(
        self,
        incident: Incident,
        labels: Mapping[str, str],
        *,
        forced: bool = False,
        raised_from: str | None = None,
        again: bool = False,
    ) -> None:
        rule = self.policy.rules[incident.category]
        quiet = self._quiet.get(rule.category)
        if quiet is None:
            quiet = self._quiet[rule.category] = rule.quiet(self.at)
        last_sent_at = incident.last_sent_at
        request = Request(
            at=self.at,
            priority=incident.priority,
            forced=forced,
            again=again,
            silences=self._active,
            silence=self._silence(incident, labels),
            halt=self._halt(labels),
            last_sent_at=last_sent_at,
            raised_from=raised_from,
            sent_this_hour=self.sent[rule.category],
            flaps=incident.flaps if last_sent_at is not None and incident.sent_at is None else 0,
        )
        decision, trace = self._verdict(request, rule, quiet)
        incident.decide(decision, trace, at=self.at, policy=self.policy.version, raised=not again)
        if decision == SENT:
            self._send(incident, raised=raised_from is not None)
        incident.dedupe_until = None if incident.last_sent_at is None else incident.last_sent_at + rule.window
        incident.held = incident.held or decision == QUIET_HOURS
        asked = halts.is_asked(labels)
        incident.settled_until = None if asked else self._settled(incident, request, quiet)

    def _verdict(self, request: Request, rule: RuleState, quiet: Quiet) -> tuple[Decision, str]:
        """The decision and its trace as JSON. In a storm most requests of a category are the same."""
        if request.silence is not None or request.halt is not None or request.last_sent_at is not None:
            decision, trace = decide(request, rule, quiet)
            return decision, encoded(trace)
        found = self._verdicts.get((rule.category, request))
        if found is None:
            decision, trace = decide(request, rule, quiet)
            found = self._verdicts[rule.category, request] = decision, encoded(trace)
        return found

    def _send(self, incident: Incident, *, raised: bool) -> None:
        kind = DeliveryKind.REPEAT if incident.sent_count else DeliveryKind.FIRING
        self.told.append((kind, incident.id))
        incident.sent_count += 1
        incident.sent_at = incident.sent_at or self.at
        incident.last_sent_at, incident.held = self.at, False
        self.sent[incident.category] += 1
        if self.sent[incident.category] == self.policy.rules[incident.category].max_per_hour:
            self.reached.add(incident.category)
        if incident.acknowledged_at is None and (incident.due_at is None or raised):
            due_at, escalate_at = due(incident.priority, raised_at=self.at, times=self.times)
            incident.due_at = _earlier(incident.due_at, due_at)
            incident.escalate_at = _earlier(incident.escalate_at, escalate_at)

    def _settled(self, incident: Incident, request: Request, quiet: Quiet) -> datetime | None:
        """Until when the same would be decided again, if nobody changes a rule or a silence."""
        decision = incident.decision
        if decision == SENT:
            return None
        ends = [self.at + STANDING]
        # What follows the gate of the silences is asked again when one begins.
        if decision not in BEFORE_SILENCES and self._next_change is not None:
            ends.append(self._next_change)
        if decision == SILENCED and request.silence is not None:
            ends.append(request.silence.until)
        elif decision == DEDUPED and incident.dedupe_until is not None:
            ends.append(incident.dedupe_until)
        elif decision == RATE_LIMITED:
            ends.append(hour_of(self.at) + HOUR)
        elif decision == QUIET_HOURS and quiet.until is not None:
            ends.append(quiet.until)
        return min(ends)

    def _silence(self, incident: Incident, labels: Mapping[str, str]) -> SilenceSeen | None:
        if not self._active:
            return None
        seen = seen_labels(category=incident.category, title=incident.title, labels=labels)
        covering = self.policy.silences.covering(seen, at=self.at)
        if not covering:
            return None
        first = covering[0]
        return SilenceSeen(str(first.id), first.created_by, first.ends_at, first.comment)

    def _halt(self, labels: Mapping[str, str]) -> HaltSeen | None:
        found = halts.covering(labels, self.stops) if self.stops else None
        return None if found is None else HaltSeen(found.scope, found.since, found.activation)

    def _priority(self, alert: RaisedAlert) -> str:
        return alert.priority or self.policy.rules[alert.category].default_priority

    def _tally(self, incident: Incident) -> None:
        self.tallies.add(
            category=incident.category,
            priority=incident.priority,
            title=incident.title,
            decision=incident.decision,
        )


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one is not None and other is not None else one or other


def _outcome(incident: Incident, *, new: bool) -> Outcome:
    return Outcome(
        incident.id, Decision(incident.decision), incident.stored_trace, new, AlertState(incident.state)
    )
