"""One alert as a story in time: raised, decided gate by gate, delivered, what was not sent, who acted, and what happens next.

Pure: it gets the alert with its deliveries and events, and knows no database.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.utils.dateparse import parse_datetime

from alerts.board import Row
from alerts.choices import AlertState, Decision, DeliveryKind, Priority
from alerts.models import Alert, Delivery
from alerts.story_deliveries import Line, heading, line_of, went_wrong
from alerts.story_people import Act
from alerts.wording import clock, gate_line, minutes, word_of

# More decisions than these fold: the first, and the newest.
DECISIONS_SHOWN = 8
# Likewise for what was told.
TOLD_SHOWN = 12
# A name of ours, not somebody's.
KILL_SWITCH = "kill switch"
KINDS = {
    DeliveryKind.REPEAT: "Told again",
    DeliveryKind.RESOLVED: "Told that it is over",
    DeliveryKind.ESCALATION: "Told further up",
    DeliveryKind.EDIT: "The message was brought up to date",
}


@dataclass(frozen=True, slots=True)
class Beat:
    """One moment. `tone`: "", `bad`, `held` (the gate that did not let it through) or `now`. `until`: it went on until then."""

    key: str
    at: datetime
    icon: str
    title: str
    text: str = ""
    lines: list[Line] = field(default_factory=list)
    verdict: str = ""
    tone: str = ""
    until: datetime | None = None


def title(row: Row, *, deliveries: Sequence[Delivery]) -> str:
    if not row.sent:
        return "Why you did not get this"
    return "Why nobody got this" if _reached_nobody(row, deliveries) else "Why you got this"


def _reached_nobody(row: Row, deliveries: Sequence[Delivery]) -> bool:
    """It was to be sent, and no channel took it."""
    return row.sent and not deliveries and not row.alert.sent_directly and row.digest_at is None


def story(row: Row, *, deliveries: Sequence[Delivery], acts: Iterable[Act]) -> list[Beat]:
    """In time. `deliveries` with their `tries` loaded, in order of creation."""
    alert = row.alert
    beats = [_raised(alert), *_decisions(alert)]
    beats += [Beat(f"act-{act.key}", act.at, act.icon, act.title, act.text, tone=act.tone) for act in acts]
    beats += _told(deliveries)
    if row.digest_at is not None:
        beats.append(_digest(row.digest_at))
    elif _reached_nobody(row, deliveries):
        beats.append(_nobody(alert))
    if alert.state == AlertState.RESOLVED and alert.resolved_at is not None:
        beats.append(_resolved(alert, alert.resolved_at))
    beats.sort(key=lambda beat: beat.at)
    if alert.state == AlertState.FIRING:
        beats.append(_now(row))
    return beats


def _raised(alert: Alert) -> Beat:
    by = alert.raised_by or alert.source
    if by == alert.source or by == KILL_SWITCH:
        by = by[:1].upper() + by[1:]
    text = alert.message if alert.message != alert.title else ""
    late = alert.first_at - alert.starts_at
    if late >= timedelta(minutes=1):
        verdict = f"It began {minutes(late.total_seconds() / 60)} before it reached the console."
    else:
        verdict = (
            "Its process sent it itself, while it could not reach the console." if alert.sent_directly else ""
        )
    return Beat("raised", alert.first_at, "message-2", f"{by} raised it", text, verdict=verdict)


def _decisions(alert: Alert) -> list[Beat]:
    entries: list[dict[str, Any]] = [
        *(entry for entry in alert.history if entry.get("decision")),
        {
            "decision": alert.decision,
            "at": alert.decided_at,
            "until": alert.repeated_at,
            "count": alert.repeats + 1,
            "trace": alert.trace,
        },
    ]
    folded = len(entries) - DECISIONS_SHOWN
    shown = [entries[0], *entries[-(DECISIONS_SHOWN - 1) :]] if folded > 0 else entries
    beats = []
    for number, entry in enumerate(shown):
        beats += _decision(entry, key=f"decided-{number}", first=number == 0)
    if folded > 0:
        at = _time(shown[0].get("until")) or _time(shown[0].get("at")) or alert.first_at
        text = f"{folded:,} decisions between the first and the newest are not shown; the API has them all."
        beats.append(Beat("folded", at, "filter", "It was decided again and again", text))
    return beats


def _decision(entry: dict[str, Any], *, key: str, first: bool) -> list[Beat]:
    """The gates of one decision, and a beat of its own for repeats of what was sent: those were duplicates."""
    decision, trace = str(entry["decision"]), entry.get("trace") or []
    at = _time(entry.get("at"))
    if at is None:
        return []
    until, again = _time(entry.get("until")), max(0, int(entry.get("count") or 1) - 1)
    lines = [_gate(gate) for gate in trace]
    sent = decision == Decision.SENT
    forced = any(gate.get("forced") for gate in trace)
    if sent:
        heading_ = "It was forced through" if forced else "Every gate let it through"
    else:
        held = next((line.word for line in lines if line.tone == "held"), "")
        heading_ = f"{held} held it back" if held else f"Not sent: {word_of(decision)}"
    if not first:
        again_by_itself = any(gate.get("again") for gate in trace)
        heading_ = f"{'Decided again' if again_by_itself else 'Raised again'}. {heading_}"
    verdict = "Sent." if sent else f"Not sent: {word_of(decision)}."
    if not sent and again:
        verdict += f" So were {again:,} repeat{'' if again == 1 else 's'}{_till(until)}."
    beats = [Beat(key, at, "filter", heading_, lines=lines, verdict=verdict, tone="" if sent else "held")]
    if sent and again:
        title_ = f"{again:,} repeat{' was' if again == 1 else 's were'} not sent to you"
        text = "Dedupe kept them: the same alert had been sent within its window."
        beats.append(Beat(f"{key}-repeats", until or at, "copy", title_, text))
    return beats


def _gate(gate: dict[str, Any]) -> Line:
    word, text = gate_line(gate)
    if not gate.get("passed", True):
        return Line("x", word, text, "held")
    forced_not = gate.get("gate") == "force" and not gate.get("forced")
    return Line("minus" if forced_not else "check", word, text)


def _till(until: datetime | None) -> str:
    return f" until {clock(until)}" if until is not None else ""


def _told(deliveries: Sequence[Delivery]) -> list[Beat]:
    """One beat for what was written together: the same kind at the same time. Edits without trouble are no news."""
    wanted = [d for d in deliveries if d.kind != DeliveryKind.EDIT or went_wrong(d)]
    groups = [list(group) for _, group in groupby(wanted, key=lambda d: (d.created_at, d.kind))]
    folded = groups[1 : 1 - TOLD_SHOWN] if len(groups) > TOLD_SHOWN else []
    shown = [groups[0], *groups[1 - TOLD_SHOWN :]] if folded else groups
    beats = [_told_together(group) for group in shown]
    return [*beats, _told_between(folded)] if folded else beats


def _told_together(told: Sequence[Delivery]) -> Beat:
    at, kind = told[0].created_at, DeliveryKind(told[0].kind)
    last = max((d.finished_at for d in told if d.finished_at), default=None)
    return Beat(
        f"told-{told[0].pk}",
        at,
        "send",
        heading(told, KINDS.get(kind, "")),
        lines=[line_of(delivery) for delivery in told],
        tone="bad" if any(map(went_wrong, told)) else "",
        until=last if last and last - at >= timedelta(seconds=1) else None,
    )


def _told_between(folded: Sequence[Sequence[Delivery]]) -> Beat:
    dead = sum(went_wrong(delivery) for group in folded for delivery in group)
    text = "The first and the newest are shown; the API has them all."
    if dead:
        lost = "One delivery of these was" if dead == 1 else f"{dead:,} deliveries of these were"
        text = f"{lost} given up. {text}"
    return Beat(
        "told-between",
        folded[0][0].created_at,
        "send",
        f"It was told {len(folded):,} times more",
        text,
        tone="bad" if dead else "",
        until=folded[-1][0].created_at,
    )


def _nobody(alert: Alert) -> Beat:
    text = "No enabled channel takes this category and priority, so the decision to send it reached nobody."
    return Beat(
        "nobody", alert.sent_at or alert.decided_at, "alert-triangle", "Nobody was told", text, tone="bad"
    )


def _digest(at: datetime) -> Beat:
    text = (
        "It still fired when the quiet hours ended. From then on it counts as sent, and somebody must own it."
    )
    return Beat("digest", at, "send", "The digest told it", text)


def _resolved(alert: Alert, at: datetime) -> Beat:
    by = f"{alert.resolved_by} resolved it" if alert.resolved_by else "It stopped firing"
    text = f"“{alert.resolve_note}”" if alert.resolve_note else ""
    return Beat("resolved", at, "circle-check", by, text)


def _now(row: Row) -> Beat:
    alert = row.alert
    heading_, text = "Now: firing, and nobody was told", "It is decided anew the next time it is raised."
    if row.owned:
        heading_ = f"Now: {alert.acknowledged_by} owns it"
        until = alert.acknowledged_until
        text = f"If it still fires at {clock(until)}, it needs somebody again." if until else ""
    elif row.waiting:
        heading_, text = "Now: waiting for you", _next(alert)
    elif alert.held:
        heading_ = "Now: held until the quiet hours end"
        text = "Then everything that was held and still fires is told in one digest."
    elif row.sent:
        heading_, text = "Now: firing", "Nothing more is due."
    if alert.ends_at is not None:
        text = f"{text} Unless it is raised again, it is over at {clock(alert.ends_at)}.".strip()
    return Beat("now", row.now, "map-pin", heading_, text, tone="now")


def _next(alert: Alert) -> str:
    if alert.escalate_at is None:
        return f"Somebody must own it by {clock(alert.due_at)}."
    higher = _higher(alert.priority)
    becomes = f"becomes {higher} and " if higher else ""
    return f"If nobody acknowledges by {clock(alert.escalate_at)}, it {becomes}goes to the next channels."


def _higher(priority: str) -> str:
    order = list(Priority)
    rank = Priority(priority).rank
    return order[rank + 1].value if rank + 1 < len(order) else ""


def _time(value: Any) -> datetime | None:
    if isinstance(value, datetime) or value is None:
        return value
    return parse_datetime(str(value))
