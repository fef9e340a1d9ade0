"""A message as Slack's blocks. Texts of others are only ever `plain_text`, so that no mention or link in them is alive."""

from html import escape
from typing import Any

from alerts.channels.message import Message
from alerts.channels.story import fit, more, tell
from alerts.channels.text import cut
from alerts.choices import DeliveryKind

Block = dict[str, Any]

# Slack's limits, of texts as they are sent.
LONGEST_HEADER = 150
LONGEST_SECTION = 3000
LONGEST_FIELD = 2000
MOST_FIELDS = 10
LONGEST_LABEL = 75


def safe(text: str) -> str:
    """Slack's own three characters, escaped."""
    return escape(text, quote=False)


def safe_length(text: str) -> int:
    return len(safe(text))


def preview(message: Message) -> str:
    """What a notification shows."""
    story = tell(message)
    return safe(cut(" · ".join((story.headline, *story.status)), LONGEST_FIELD, length=safe_length))


def blocks(message: Message) -> list[Block]:
    story = fit(tell(message), LONGEST_SECTION, length=safe_length)
    found: list[Block] = [{"type": "header", "text": _plain(story.headline, LONGEST_HEADER)}]
    found += [
        {"type": "section", "text": _plain(text, LONGEST_SECTION)}
        for text in ("\n".join(story.status), story.text)
        if text
    ]
    if facts := [_plain(f"{name}: {value}", LONGEST_FIELD) for name, value in story.facts[:MOST_FIELDS]]:
        found.append({"type": "section", "fields": facts})
    if rest := "\n".join(part for part in (*story.lines, more(story)) if part):
        found.append({"type": "section", "text": _plain(rest, LONGEST_SECTION)})
    if story.link:
        link = {"type": "mrkdwn", "text": f"<{safe(story.link)}|Open in the console>"}
        found.append({"type": "context", "elements": [link]})
    return [*found, *_actions(message)]


def _actions(message: Message) -> list[Block]:
    if not message.buttons or message.kind == DeliveryKind.RESOLVED:
        return []
    elements = []
    for number, button in enumerate(message.buttons):
        element = {
            "type": "button",
            "action_id": f"alert-{number}",
            "text": _plain(button.label, LONGEST_LABEL),
            "value": button.token,
        }
        elements.append(element | ({"style": "danger"} if button.danger else {}))
    return [{"type": "actions", "elements": elements}]


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": safe(cut(text, limit, length=safe_length)), "emoji": False}
