"""Deliveries in words: who had it when, after how many tries, and what went wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from alerts.choices import AttemptOutcome, DeliveryState
from alerts.guarding import Held
from alerts.models import Delivery, DeliveryAttempt
from alerts.wording import clock

NAMED = 3
FAILURES_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One line below a beat. `tone`: "", `bad`, or `held` for the gate that did not let it through."""

    icon: str
    word: str
    text: str
    tone: str = ""
    # A delivery that can be sent again.
    delivery_id: int = 0


def went_wrong(delivery: Delivery) -> bool:
    return delivery.state == DeliveryState.DEAD


def heading(told: Sequence[Delivery], kind: str) -> str:
    """`Telegram had it in 0.4 s, Slack in 31 s`, or how many have it."""
    had = [d for d in told if d.state == DeliveryState.SENT and d.finished_at is not None]
    prefix = f"{kind}. " if kind else ""
    if not had:
        dead = sum(went_wrong(delivery) for delivery in told)
        return f"{prefix}{'No channel took it' if dead == len(told) else 'On its way'}"
    if len(had) < len(told) or len(had) > NAMED:
        return f"{prefix}{len(had)} of {len(told)} channels had it"
    first, *rest = [(d.channel_name, _took(d)) for d in had]
    others = "".join(f", {name} in {took}" for name, took in rest)
    return f"{prefix}{first[0]} had it in {first[1]}{others}"


def line_of(delivery: Delivery) -> Line:
    name = delivery.channel_name
    parts = [*_failures(list(delivery.tries.all())), *_held(delivery)]
    icon, tone, again = "check", "", 0
    match delivery.state:
        case DeliveryState.SENT:
            parts.append(f"accepted {delivery.finished_at and clock_seconds(delivery)}")
            icon = "refresh" if delivery.attempts > 1 else "check"
        case DeliveryState.DEAD:
            parts.append(f"given up after {_tries(delivery.attempts)}: {delivery.error or 'no reason given'}")
            icon, tone, again = "alert-triangle", "bad", delivery.pk
        case DeliveryState.SENDING:
            parts.append("under way")
            icon = "hourglass"
        case DeliveryState.PENDING:
            parts.append(f"due {clock(delivery.due_at)}")
            icon = "hourglass"
        case DeliveryState.FOLDED:
            parts.append("told in a digest instead")
            icon = "copy"
        case _:
            parts.append(f"not sent: {delivery.error or 'not needed any more'}")
            icon = "minus"
    if delivery.instead_of_id is not None:
        parts.append("stands in for a channel that failed")
    if delivery.maybe_duplicate:
        parts.append("may have arrived twice")
    return Line(icon, name, ", ".join(parts), tone, again)


def _held(delivery: Delivery) -> list[str]:
    if not delivery.held:
        return []
    held = Held.from_json(delivery.held)
    if delivery.state == DeliveryState.PENDING:
        return [f"not tried: {held}"]
    return [] if delivery.state == DeliveryState.DEAD else [f"not tried at first: {held.words('was')}"]


def clock_seconds(delivery: Delivery) -> str:
    took = _took(delivery)
    return f"{clock(delivery.finished_at)}, {took} after the decision"


def _failures(tries: Sequence[DeliveryAttempt]) -> list[str]:
    """What went wrong before: at most two, and how many more."""
    bad = [attempt for attempt in tries if attempt.outcome not in {AttemptOutcome.SENT, AttemptOutcome.OPEN}]
    texts = [_failure(attempt) for attempt in bad[:FAILURES_SHOWN]]
    more = len(bad) - FAILURES_SHOWN
    return [*texts, f"{more} more that failed"] if more > 0 else texts


def _failure(attempt: DeliveryAttempt) -> str:
    if attempt.outcome == AttemptOutcome.THROTTLED:
        waited = f", waited the {attempt.retry_after:g} s it asked for" if attempt.retry_after else ""
        return f"{attempt.status or 'throttled'} at try {attempt.number}{waited}"
    if attempt.outcome == AttemptOutcome.UNKNOWN:
        return f"try {attempt.number} was cut off and may have arrived"
    what = str(attempt.status) if attempt.status else attempt.error or "failed"
    return f"{what} at try {attempt.number}"


def _took(delivery: Delivery) -> str:
    return span((delivery.finished_at or delivery.created_at) - delivery.created_at)


def span(length: timedelta) -> str:
    """`0.4 s`, `31 s`, `4 min`, `2 h 06 min`."""
    seconds = max(0.0, length.total_seconds())
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:02.0f} min"


def _tries(number: int) -> str:
    return f"{number} tr{'y' if number == 1 else 'ies'}"
