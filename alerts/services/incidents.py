"""Incidents in memory, as one batch of alerts works on them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from alerts.choices import AlertState, Decision

# Enumerations are slow to ask.
SENT, FIRING, RESOLVED = Decision.SENT.value, AlertState.FIRING.value, AlertState.RESOLVED.value
# Entries of the history that are kept; older ones are folded into the next one with the same decision.
LONGEST_HISTORY = 100


class Words(NamedTuple):
    """What the sender says, as it is stored; `labels`, `annotations` and `details` as JSON."""

    title: str
    message: str
    labels: str
    annotations: str
    details: str
    generator_url: str


@dataclass(slots=True, kw_only=True)
class Incident:
    """A row of alerts_alert. `stored_trace` and `stored_history` are JSON; `decision` is empty before the first one."""

    id: int
    fingerprint: UUID
    category: str
    priority: str
    title: str
    starts_at: datetime
    first_at: datetime
    last_at: datetime
    ends_at: datetime | None
    count: int
    flaps: int
    decision: str
    decided_at: datetime
    stored_trace: str
    stored_history: str
    repeats: int
    repeated_at: datetime | None
    dedupe_until: datetime | None
    settled_until: datetime | None
    policy: int
    content: int
    sent_at: datetime | None
    last_sent_at: datetime | None
    sent_count: int
    held: bool
    forced: bool
    sent_directly: bool
    acknowledged_at: datetime | None
    due_at: datetime | None
    escalate_at: datetime | None
    state: str = FIRING
    resolved_at: datetime | None = None
    resolved_by: str = ""
    new: bool = False
    source: str = ""
    raised_by: str = ""
    # None: as they are stored.
    words: Words | None = None
    # Whether more has changed than the counters.
    decided: bool = False
    ended: bool = False

    def decide(self, decision: Decision, trace: str, *, at: datetime, policy: int, raised: bool) -> None:
        """Take a new decision with its trace (JSON); the one before it, if there is one, becomes history, unless it is the same again.

        `raised`: it was raised once more, else only asked about.
        """
        self.policy, self.decided = policy, True
        if self.decision == decision != SENT:
            if raised:
                self.repeat(1, at=at)
            return
        if self.decision:
            self._remember()
        self.decision, self.decided_at = str(decision), at
        self.stored_trace = trace
        self.repeats, self.repeated_at = 0, None

    def repeat(self, count: int, *, at: datetime) -> None:
        self.repeats += count
        self.repeated_at = at if self.repeated_at is None else max(self.repeated_at, at)

    def end(self, *, at: datetime, by: str) -> None:
        self.state, self.resolved_at, self.resolved_by = RESOLVED, at, by
        self.escalate_at, self.ended = None, True

    def _remember(self) -> None:
        entry = {
            "decision": self.decision,
            "at": self.decided_at,
            "until": self.repeated_at or self.decided_at,
            "count": self.repeats + 1,
            "trace": msgspec.Raw(self.stored_trace.encode()),
        }
        history = [*msgspec.json.decode(self.stored_history, type=list[dict[str, msgspec.Raw]]), entry]
        text = msgspec.json.encode(history)
        if len(history) > LONGEST_HISTORY:
            text = msgspec.json.encode(folded(msgspec.json.decode(text)))
        self.stored_history = text.decode()


def encoded(trace: list[dict[str, Any]]) -> str:
    """As it is stored."""
    return msgspec.json.encode(trace).decode()


def folded(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The history with one entry fewer: the oldest that has a later one with the same decision is counted in that. No count is lost."""
    for index, entry in enumerate(history):
        for later in range(index + 1, len(history)):
            if history[later]["decision"] == entry["decision"]:
                both = {"at": entry["at"], "count": entry["count"] + history[later]["count"]}
                return [
                    *history[:index],
                    *history[index + 1 : later],
                    history[later] | both,
                    *history[later + 1 :],
                ]
    return history
