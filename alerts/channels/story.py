"""A message in words, still without any form: what each channel then escapes and lays out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from alerts.channels import times
from alerts.channels.message import Message
from alerts.channels.text import clean, cut, isolate, one_line, units
from alerts.choices import AlertState, DeliveryKind, Priority
from alerts.wording import ordinal

Item = TypeVar("Item")

# The shapes of the console's pages: a filled octagon, a filled triangle, a diamond, a circle.
MARKS = {
    Priority.CRITICAL: "🛑",
    Priority.HIGH: "🔺",
    Priority.MEDIUM: "🔶",
    Priority.LOW: "⚪",
}
DUPLICATE = "You may have this already: an earlier try was cut off."
LONGEST_HEADLINE = 300
LONGEST_STATUS = 300
LONGEST_NAME = 60
LONGEST_VALUE = 300
LONGEST_LINE = 200


@dataclass(frozen=True, slots=True)
class Story:
    """Cleaned texts. `status`: a few lines about where it stands; `left_out`: facts and lines for which there was no room."""

    headline: str
    status: tuple[str, ...] = ()
    text: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    link: str = ""
    left_out: int = 0


def tell(message: Message) -> Story:
    """The story of a message."""
    return Story(
        headline=f"{_mark(message)}{isolate(one_line(message.title))}",
        status=tuple(isolate(one_line(line)) for line in _status(message)),
        text=isolate(clean(message.text)),
        facts=tuple((isolate(one_line(name)), isolate(one_line(value))) for name, value in message.facts),
        lines=tuple(isolate(one_line(line)) for line in message.lines),
        link=message.alert_url,
        left_out=max(0, message.count - len(message.lines)) if message.kind == DeliveryKind.DIGEST else 0,
    )


def fit(story: Story, limit: int, *, length: Callable[[str], int] = units) -> Story:
    """The story in `limit` of `length`, line ends and `name: ` included. The text gets at least half of what head and status leave."""
    headline = cut(story.headline, LONGEST_HEADLINE, length=length)
    status = tuple(cut(line, LONGEST_STATUS, length=length) for line in story.status)
    # Two line ends around each part, and the line that says how many were left out.
    left = limit - sum(length(part) + 2 for part in (headline, *status, story.link)) - 40
    text_room = max(0, min(length(story.text), left // 2))
    facts, left = _that_fit(
        [(cut(name, LONGEST_NAME, length=length), cut(value, LONGEST_VALUE, length=length)) for name, value in story.facts],
        left,
        text_room,
        lambda fact: length(fact[0]) + length(fact[1]) + 5,
    )  # fmt: skip
    lines, left = _that_fit(
        [cut(line, LONGEST_LINE, length=length) for line in story.lines],
        left,
        text_room,
        lambda line: length(line) + 3,
    )
    left_out = story.left_out + len(story.facts) - len(facts) + len(story.lines) - len(lines)
    text = cut(story.text, max(0, left), length=length)
    return replace(
        story,
        headline=headline,
        status=status,
        text=text,
        facts=tuple(facts),
        lines=tuple(lines),
        left_out=left_out,
    )


def plain(story: Story) -> str:
    """The story as plain text."""
    parts = [
        "\n".join(part for part in (story.headline, *story.status) if part),
        story.text,
        "\n".join(f"{name}: {value}" for name, value in story.facts),
        "\n".join(story.lines),
        more(story),
        story.link,
    ]
    return "\n\n".join(part for part in parts if part)


def more(story: Story) -> str:
    return f"… and {story.left_out:,} more" if story.left_out else ""


def summary(message: Message) -> str:
    """One line: a mail's subject, a notification's preview."""
    return f"{_mark(message)}{isolate(one_line(message.title))}"


def is_silent(message: Message) -> bool:
    """Whether it should make no sound."""
    calm = (DeliveryKind.RESOLVED, DeliveryKind.DIGEST, DeliveryKind.EDIT)
    return message.kind in calm or (message.priority == Priority.LOW and message.kind != DeliveryKind.TEST)


def _that_fit(
    items: Sequence[Item], left: int, reserved: int, size: Callable[[Item], int]
) -> tuple[list[Item], int]:
    kept = []
    for item in items:
        if left - size(item) < reserved:
            break
        kept.append(item)
        left -= size(item)
    return kept, left


def _mark(message: Message) -> str:
    if message.kind == DeliveryKind.TEST:
        return "🔔 TEST · "
    if message.kind == DeliveryKind.DIGEST:
        return "🗂 DIGEST · "
    if message.state == AlertState.RESOLVED:
        return "✅ RESOLVED · "
    escalated = ", escalated" if message.escalation else ""
    return f"{MARKS[message.priority]} {message.priority}{escalated} · "


def _status(message: Message) -> list[str]:
    lines = []
    if message.first_at is not None:
        category = f" · {message.category}" if message.category else ""
        lines.append(f"{_how_often(message)}{category}")
        lines += [line for line in (_due(message), _owner(message)) if line]
    if message.maybe_duplicate:
        lines.append(DUPLICATE)
    return lines


def _how_often(message: Message) -> str:
    first = message.first_at or message.now
    since = times.clock(first, now=message.now)
    if message.state == AlertState.RESOLVED:
        ended = message.resolved_at or message.now
        by = f" by {message.resolved_by}" if message.resolved_by else ""
        often = f", {message.count:,} times" if message.count > 1 else ""
        return (
            f"Resolved {times.clock(ended, now=message.now)}{by}, after {times.lasted(ended - first)}{often}"
        )
    if message.count == 1:
        return f"Raised {since}"
    if message.kind == DeliveryKind.REPEAT:
        return f"{ordinal(message.count)} time, since {since}"
    last = f", last {times.at(message.last_at, now=message.now)}" if message.last_at is not None else ""
    return f"{message.count:,} times, since {since}{last}"


def _due(message: Message) -> str:
    if message.state == AlertState.RESOLVED or message.acknowledged or message.due_at is None:
        return ""
    if message.escalation:
        return f"Nobody owns it. Escalated for the {ordinal(message.escalation)} time"
    if message.due_at <= message.now:
        return "Someone must own it now"
    return f"Someone must own it by {times.at(message.due_at, now=message.now)}"


def _owner(message: Message) -> str:
    if not message.owner or message.state == AlertState.RESOLVED:
        return ""
    return f"Owned by {message.owner}" if message.acknowledged else f"Assigned to {message.owner}"
