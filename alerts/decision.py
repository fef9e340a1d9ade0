"""What becomes of an alert, and why: the gates in their order. Pure: no database, no clock of its own.

A trace is the list of the gates that were asked, as data: `{"gate": …, "passed": …}` and what each saw. The last one is the one that held the
alert, if any did. `alerts.wording` makes sentences of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from alerts.choices import Decision, Gate, Priority
from alerts.quiet import Quiet, quiet_at

# Incidents of one fingerprint that ended within FLAP_MEMORY before this one, from which on it is said to flap: then a return is no news, and a
# duplicate of what was sent in the earlier ones. The first return after an end is told.
FLAPPING = 2
FLAP_MEMORY = timedelta(days=1)

# Enumerations are slow to ask.
FORCE, SENT = Gate.FORCE.value, Decision.SENT
RANKS: Mapping[str, int] = {priority.value: priority.rank for priority in Priority}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """An AlertRule's values. `time_zone` is a name, never empty."""

    category: str
    enabled: bool
    default_priority: str
    min_priority: str
    max_per_hour: int
    dedupe_window_minutes: int
    quiet_start: int
    quiet_end: int
    time_zone: str
    quiet_passes: str

    @property
    def window(self) -> timedelta:
        return timedelta(minutes=self.dedupe_window_minutes)

    def quiet(self, at: datetime) -> Quiet:
        return quiet_at(at, start=self.quiet_start, end=self.quiet_end, zone=self.time_zone)


@dataclass(frozen=True, slots=True)
class SilenceSeen:
    """The silence that covers the alert."""

    id: str
    by: str
    until: datetime
    comment: str


@dataclass(frozen=True, slots=True)
class HaltSeen:
    """The stop that the alert follows from."""

    scope: str
    since: datetime
    activation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An alert at the moment when it is decided.

    `again`: it was not raised once more; what held it is over, so it is decided by itself.
    `silences`: how many are active. `last_sent_at`: when the same alert was sent last. `raised_from`: the priority that it had until now, if
    it has become more urgent. `sent_this_hour`: alerts of its category that were sent in this clock hour (UTC) before it. `flaps`: returns
    within a day, if `last_sent_at` is from an incident before this one.
    """

    at: datetime
    priority: str
    forced: bool = False
    again: bool = False
    silences: int = 0
    silence: SilenceSeen | None = None
    halt: HaltSeen | None = None
    last_sent_at: datetime | None = None
    raised_from: str | None = None
    sent_this_hour: int = 0
    flaps: int = 0


class Verdict(NamedTuple):
    decision: Decision
    trace: list[dict[str, Any]]


def decide(request: Request, rule: RuleState, quiet: Quiet | None = None) -> Verdict:
    """Ask the gates until one holds the alert. `quiet`: `rule.quiet(request.at)`, where the caller has it already."""
    trace: list[dict[str, Any]] = [{"gate": FORCE, "passed": True, "forced": request.forced}]
    if request.again:
        trace[0]["again"] = True
    if request.forced:
        return Verdict(SENT, trace)
    seen = quiet or rule.quiet(request.at)
    for gate, decision, ask in GATES:
        passed, facts = ask(request, rule, seen)
        trace.append({"gate": gate, "passed": passed} | facts)
        if not passed:
            return Verdict(decision, trace)
    return Verdict(SENT, trace)


def hour_of(at: datetime) -> datetime:
    """The clock hour (UTC) whose alerts the rate limit counts."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def iso(moment: datetime) -> str:
    """As times stand in traces."""
    return moment.astimezone(UTC).isoformat()


Answer = tuple[bool, dict[str, Any]]


def _enabled(request: Request, rule: RuleState, quiet: Quiet) -> Answer:
    return rule.enabled, {}


def _silence(request: Request, rule: RuleState, quiet: Quiet) -> Answer:
    facts: dict[str, Any] = {"active": request.silences}
    silence = request.silence
    if silence is None:
        return True, facts
    return False, facts | {
        "silence": silence.id,
        "by": silence.by,
        "until": iso(silence.until),
        "comment": silence.comment,
    }


def _expected(request: Request, rule: RuleState, quiet: Quiet) -> Answer:
    halt = request.halt
    if halt is None:
        return True, {}
    because = {
        "kind": "halt",
        "scope": halt.scope,
        "since": iso(halt.since),
        "activation": halt.activation,
    }
    return False, {"because": because}


def _minimum_priority(request: Request, rule: RuleState, quiet: Quiet) -> Answer:
    passed = RANKS[request.priority] >= RANKS[rule.min_priority]
    return passed, {"priority": request.priority, "minimum": rule.min_priority}


def _dedupe(request: Request, rule: RuleState, quiet: Quiet) -> Answer:
    facts: dict[str, Any] = {
        "window_minutes": rule.dedupe_window_minutes,
        "last_sent_at": None,
        "age_seconds": None,
    }
    if request.last_sent_at is None:
        return True, facts
    age = request.at - request.last_sent_at
    facts["last_sent_at"] = iso(request.last_sent_at)
    facts["age_seconds"] = round(age.total_seconds(), 3)
    if request.flaps:
        facts["flaps"] = request.flaps
    if age < rule.window and request.raised_from is not None:
        return True, facts | {"raised_from": request.raised_from}
    return age >= rule.window, facts


def _rate_limit(request: Request, rule: RuleState, quiet: Quiet) -> Answer:
    passed = request.sent_this_hour < rule.max_per_hour
    hour = iso(hour_of(request.at))
    return passed, {"sent": request.sent_this_hour, "limit": rule.max_per_hour, "hour": hour}


def _quiet_hours(request: Request, rule: RuleState, quiet: Quiet) -> Answer:
    facts: dict[str, Any] = {
        "local": f"{quiet.local:%H:%M}",
        "start": rule.quiet_start,
        "end": rule.quiet_end,
        "zone": rule.time_zone,
        "passes": rule.quiet_passes,
    }
    if quiet.until is None:
        return True, facts
    facts["until"] = iso(quiet.until)
    return RANKS[request.priority] >= RANKS[rule.quiet_passes], facts


Ask = Callable[[Request, RuleState, Quiet], Answer]

# In this order, which is the order of the questions that a person would ask.
GATES: tuple[tuple[str, Decision, Ask], ...] = (
    (Gate.ENABLED.value, Decision.DISABLED, _enabled),
    (Gate.SILENCE.value, Decision.SILENCED, _silence),
    (Gate.EXPECTED.value, Decision.EXPECTED, _expected),
    (Gate.MINIMUM_PRIORITY.value, Decision.BELOW_MINIMUM, _minimum_priority),
    (Gate.DEDUPE.value, Decision.DEDUPED, _dedupe),
    (Gate.RATE_LIMIT.value, Decision.RATE_LIMITED, _rate_limit),
    (Gate.QUIET_HOURS.value, Decision.QUIET_HOURS, _quiet_hours),
)
