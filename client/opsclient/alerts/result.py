"""What became of an alert, and of a change of its rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opsclient.alerts.alert import Alert
from opsclient.alerts.choices import AlertCategory, AlertDecision


@dataclass(frozen=True, slots=True)
class AlertResult:
    """The console's decision, or why there is none yet. True if somebody was told of it.

    reason: one sentence for people. alert_id: the incident's number at the console. trace: the gates that the console
    asked, in order. queued: it waits here and will reach the console. sent_directly: it went out by this process' own
    telegram_bot or slack_client, because the console could not be reached. alert: what was told, for `resolve`.
    """

    decision: AlertDecision
    reason: str
    alert: Alert = field(repr=False)
    alert_id: int | None = None
    trace: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    sent_directly: bool = False

    @property
    def sent(self) -> bool:
        """Whether the console sent it."""
        return self.decision is AlertDecision.SENT

    @property
    def queued(self) -> bool:
        """Whether it waits for the console in this process."""
        return self.decision is AlertDecision.QUEUED

    def __bool__(self) -> bool:
        return self.sent or self.sent_directly


@dataclass(frozen=True, slots=True)
class RuleUpdate:
    """What became of a changed rule. True if the console took it.

    applied: the console decides by it. pending: the console has not answered yet; it is tried again until it does. With
    neither, the console refused, and only the rule's `min_priority` works, in this process alone. reason says which and why.
    """

    category: AlertCategory
    applied: bool
    pending: bool
    reason: str

    def __bool__(self) -> bool:
        return self.applied


_REASONS = {
    AlertDecision.SENT: "sent",
    AlertDecision.DISABLED: "not sent: the rule of this category is switched off",
    AlertDecision.SILENCED: "not sent: a silence matches it",
    AlertDecision.EXPECTED: "not sent: it follows from a stop that was made on purpose",
    AlertDecision.BELOW_MINIMUM: "not sent: its priority is below the minimum of its category",
    AlertDecision.DEDUPED: "not sent again: the same alert was sent within the dedupe window",
    AlertDecision.RATE_LIMITED: "not sent: its category has used up the hour's number",
    AlertDecision.QUIET_HOURS: "held until the quiet hours end",
}


def decided(alert: Alert, data: Mapping[str, Any], *, sent_directly: bool) -> AlertResult:
    """The result in one entry of the console's answer. A decision that this client does not know counts as not sent."""
    number, trace, said = data.get("id"), data.get("trace"), data.get("reason")
    text = str(data.get("decision") or "")
    if alert.resolved:
        # The console's sentence is about the alert that ends; here the question was whether one did.
        decision, said = AlertDecision.RESOLVED, None
        reason = "resolved" if number is not None else "there was nothing to resolve"
    elif text in AlertDecision.__members__:
        decision = AlertDecision(text)
        reason = _REASONS.get(decision, text)
    else:
        decision, reason = AlertDecision.UNSENT, f"the console decided {text!r:.60}, which is not known here"
    return AlertResult(
        decision,
        said if isinstance(said, str) and said else reason,
        alert,
        alert_id=number if isinstance(number, int) else None,
        trace=tuple(gate for gate in trace if isinstance(gate, dict)) if isinstance(trace, list) else (),
        sent_directly=sent_directly,
    )
