"""Decisions and their traces in words. A trace is data (alerts.decision); this is the one place that makes sentences of it.

Used by the pages, the API, messages to channels and commands, so that all of them give the same reason.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from alerts.choices import Decision, Gate

Facts = Mapping[str, Any]

GATE_WORDS = {
    Gate.FORCE: "Force",
    Gate.ENABLED: "Rule",
    Gate.SILENCE: "Silence",
    Gate.EXPECTED: "Expected",
    Gate.MINIMUM_PRIORITY: "Minimum priority",
    Gate.DEDUPE: "Dedupe",
    Gate.RATE_LIMIT: "Rate limit",
    Gate.QUIET_HOURS: "Quiet hours",
}
DECISION_WORDS = {
    Decision.SENT: "sent",
    Decision.DISABLED: "rule is off",
    Decision.SILENCED: "silenced",
    Decision.EXPECTED: "expected",
    Decision.BELOW_MINIMUM: "below minimum",
    Decision.DEDUPED: "duplicate",
    Decision.RATE_LIMITED: "rate limited",
    Decision.QUIET_HOURS: "held, quiet hours",
}


def sentence(decision: str, trace: Sequence[Facts]) -> str:
    """One line without a full stop: `suppressed: the same alert was sent 4 minutes ago; window 15 minutes`."""
    gate = trace[-1] if trace else {}
    if decision == Decision.SENT:
        return (
            "sent: forced, so no other gate was asked"
            if _forced(trace)
            else "sent: every gate let it through"
        )
    verb = "held" if decision == Decision.QUIET_HOURS else "suppressed"
    reason = gate_line(gate)[1] if gate and not gate.get("passed", True) else word_of(decision)
    return f"{verb}: {reason}"


def gate_line(gate: Facts) -> tuple[str, str]:
    """A gate's name and what it saw, such as ("Rate limit", "3rd of 20 this hour")."""
    name = str(gate.get("gate", ""))
    if name not in Gate.values:
        return name, ""
    return GATE_WORDS[Gate(name)], _TEXTS[Gate(name)](gate, bool(gate.get("passed")))


def word_of(decision: str) -> str:
    """A decision in a word or two; one that is not known stays as it is."""
    return DECISION_WORDS[Decision(decision)] if decision in Decision.values else decision


def held_by(trace: Sequence[Facts]) -> str | None:
    """The gate that did not let it through; None: all did."""
    return next((str(gate.get("gate")) for gate in trace if not gate.get("passed", True)), None)


def minutes(value: float) -> str:
    """Minutes in words: `1 minute`, `15 minutes`, `2 hours`, `2 h 30 min`."""
    whole = round(value)
    if whole < 60:
        return _count(whole, "minute")
    hours, rest = divmod(whole, 60)
    return f"{hours} h {rest} min" if rest else _count(hours, "hour")


def ago(seconds: float) -> str:
    """How long ago: `12 seconds ago`, `4 minutes ago`, `3 h 5 min ago`, `2 days ago`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{_count(whole, 'second')} ago"
    if whole < 86_400:
        return f"{minutes(whole // 60)} ago"
    return f"{_count(whole // 86_400, 'day')} ago"


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th`, `11th`, `1,001st`."""
    teen = 10 < number % 100 < 14
    ending = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def times(number: int) -> str:
    """`never`, `once`, `2 times`, `1,200 times`."""
    return {0: "never", 1: "once"}.get(number, f"{number:,} times")


def clock(text: Any) -> str:
    """An ISO time in the desk's zone: today `14:32`, else `24 Nov 07:00`. What is no time stays as it is."""
    when = text if isinstance(text, datetime) else _parsed(text)
    if when is None:
        return str(text)
    local = timezone.localtime(when)
    return f"{local:%H:%M}" if local.date() == timezone.localdate() else f"{local.day} {local:%b %H:%M}"


def zone_words(name: str) -> str:
    """`America/New_York` as `New York`."""
    return name.rsplit("/", 1)[-1].replace("_", " ")


def _parsed(text: Any) -> datetime | None:
    try:
        when = parse_datetime(str(text))
    except ValueError:
        return None
    return when if when is not None and timezone.is_aware(when) else None


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _forced(trace: Sequence[Facts]) -> bool:
    return any(gate.get("gate") == Gate.FORCE and gate.get("forced") for gate in trace)


def _force(gate: Facts, passed: bool) -> str:
    return (
        "forced, so no other gate is asked" if gate.get("forced") else "not forced, so the other gates apply"
    )


def _enabled(gate: Facts, passed: bool) -> str:
    return "switched on" if passed else "the rule of this category is switched off"


def _silence(gate: Facts, passed: bool) -> str:
    active = int(gate.get("active") or 0)
    if passed:
        return f"{active:,} active, none matches" if active else "none is active"
    by = f" by {gate['by']}" if gate.get("by") else ""
    until = f" until {clock(gate['until'])}" if gate.get("until") else ""
    comment = f": “{gate['comment']}”" if gate.get("comment") else ""
    return f"silenced{by}{until}{comment}"


def _expected(gate: Facts, passed: bool) -> str:
    because = gate.get("because")
    if passed or not isinstance(because, Mapping):
        return (
            "nothing that was done on purpose explains it"
            if passed
            else "it follows from what was done on purpose"
        )
    scope = str(because.get("scope", ""))
    what = "all trading" if scope == "global" else scope
    since = f" since {clock(because['since'])}" if because.get("since") else ""
    return f"expected, because {what} is stopped on purpose{since}"


def _minimum_priority(gate: Facts, passed: bool) -> str:
    priority, minimum = gate.get("priority"), gate.get("minimum")
    if passed:
        return f"{priority}, the rule asks for {minimum} or more"
    return f"{priority} is below what the rule asks for: {minimum} or more"


def _dedupe(gate: Facts, passed: bool) -> str:
    window = minutes(float(gate.get("window_minutes") or 0))
    if gate.get("raised_from"):
        return f"no duplicate: it was {gate['raised_from']} before, and is more urgent now"
    age = gate.get("age_seconds")
    if not passed:
        since = ago(float(age)) if age is not None else "within the window"
        return f"the same alert was sent {since}; window {window}{_flapping(gate)}"
    if age is not None:
        return f"the same alert was sent {ago(float(age))}, longer than the window of {window}"
    return f"the same alert was not sent before; window {window}"


def _flapping(gate: Facts) -> str:
    """Why one that was resolved meanwhile is a duplicate all the same."""
    flaps = int(gate.get("flaps") or 0)
    return f"; it came back {times(flaps)} within a day" if flaps else ""


def _rate_limit(gate: Facts, passed: bool) -> str:
    sent, limit = int(gate.get("sent") or 0), int(gate.get("limit") or 0)
    if passed:
        return f"{ordinal(sent + 1)} of {limit:,} this hour"
    return f"{sent:,} were sent this hour; limit {limit:,}"


def _quiet_hours(gate: Facts, passed: bool) -> str:
    start, end = gate.get("start"), gate.get("end")
    if start == end:
        return "the rule has none"
    local, zone = gate.get("local", ""), zone_words(str(gate.get("zone") or ""))
    span = f"{_hour(start)} to {_hour(end)} {zone}".rstrip()
    until = gate.get("until")
    if not passed:
        told = f"; told in the digest at {clock(until)}" if until else ""
        return f"{local} is within quiet hours, {span}{told}"
    if until:
        return f"{local} is within quiet hours, {span}, but {gate.get('passes')} and more urgent pass"
    return f"{local} is outside {span}"


def _hour(value: Any) -> str:
    return f"{int(value):02d}:00" if isinstance(value, int) else str(value)


_TEXTS: dict[Gate, Callable[[Facts, bool], str]] = {
    Gate.FORCE: _force,
    Gate.ENABLED: _enabled,
    Gate.SILENCE: _silence,
    Gate.EXPECTED: _expected,
    Gate.MINIMUM_PRIORITY: _minimum_priority,
    Gate.DEDUPE: _dedupe,
    Gate.RATE_LIMIT: _rate_limit,
    Gate.QUIET_HOURS: _quiet_hours,
}
