"""Slack's API as far as the console uses it: a bot's methods and an incoming webhook, with their limits."""

import re
from typing import Any

from tests.chat_servers import Answer, ChatServer, Received

TOKEN = "xoxb-fake-token-for-tests"
WEBHOOK = "/services/T000/B000/fakefakefakefakefakefake"
# Of a text object, by the block that it stands in.
LONGEST = {"header": 150, "section": 3000, "field": 2000, "button": 75, "context": 3000}
# A bare < or > would be read as a mention or a link.
BARE = re.compile(r"[<>]|&(?!lt;|gt;|amp;)")


class SlackServer(ChatServer):
    """`messages`: what is shown, by channel and ts."""

    def __init__(self) -> None:
        super().__init__()
        self.channels = {"C0OPS"}
        self.messages: dict[tuple[str, str], dict[str, Any]] = {}
        self.posted: list[dict[str, Any]] = []
        self.ephemeral: list[dict[str, Any]] = []

    @property
    def webhook_url(self) -> str:
        return f"{self.url}{WEBHOOK}"

    def answer(self, received: Received) -> Answer:
        fields = received.fields
        if received.path == WEBHOOK:
            if problem_of(fields):
                return Answer(400, "invalid_blocks")
            self.posted.append(fields)
            return Answer(200, "ok")
        if received.headers.get("authorization") != f"Bearer {TOKEN}":
            return _no("invalid_auth")
        if fields.get("channel") not in self.channels:
            return _no("channel_not_found")
        if problem_of(fields):
            return _no("invalid_blocks")
        match received.path:
            case "/chat.postMessage":
                return self._show(fields, f"1763900000.{len(self.messages):06}")
            case "/chat.update":
                if (fields["channel"], fields["ts"]) not in self.messages:
                    return _no("message_not_found")
                return self._show(fields, fields["ts"])
            case "/chat.postEphemeral":
                self.ephemeral.append(fields)
                return Answer(200, {"ok": True, "message_ts": "1"})
        return _no("unknown_method")

    def _show(self, fields: dict[str, Any], ts: str) -> Answer:
        self.messages[fields["channel"], ts] = fields
        return Answer(200, {"ok": True, "channel": fields["channel"], "ts": ts})


def problem_of(fields: dict[str, Any]) -> str:
    """What Slack would not take of these blocks; empty: nothing."""
    blocks = fields.get("blocks") or []
    if len(blocks) > 50:
        return "too many blocks"
    return next((problem for block in blocks if (problem := _problem(block))), "")


def _problem(block: dict[str, Any]) -> str:
    kind = block["type"]
    texts = [(kind, block["text"])] if "text" in block else []
    texts += [("field", item) for item in block.get("fields", [])]
    texts += [("button", item["text"]) for item in block.get("elements", []) if item["type"] == "button"]
    texts += [("context", item) for item in block.get("elements", []) if item["type"] == "mrkdwn"]
    if len(block.get("fields", [])) > 10:
        return "too many fields"
    for place, text in texts:
        if not 1 <= len(text["text"]) <= LONGEST[place]:
            return f"{place}: {len(text['text'])} characters"
        if text["type"] == "plain_text" and BARE.search(text["text"]):
            return f"{place}: a bare <, > or &"
    return "" if texts else "an empty block"


def _no(error: str) -> Answer:
    return Answer(200, {"ok": False, "error": error})
