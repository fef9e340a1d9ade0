"""Telegram's bot API as far as the console uses it, with its limits and its ways to refuse."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from tests.chat_servers import Answer, ChatServer, Received

TOKEN = "123456789:AAFake-token_for_tests_0123456789"
PATH = re.compile(r"/bot([^/]+)/(\w+)")
TAGS = {"b", "i", "u", "s", "code", "pre", "a"}
ENTITY = re.compile(r"&(?!lt;|gt;|amp;|quot;|#)")
LONGEST = 4096


class TelegramServer(ChatServer):
    """`messages`: what the chats show, by chat and id. `updates`: what `getUpdates` gives."""

    def __init__(self) -> None:
        super().__init__()
        self.chats: set[int | str] = {-100, 7}
        self.blocked: set[int | str] = set()
        self.moved: dict[int | str, int] = {}
        self.messages: dict[tuple[int | str, int], dict[str, Any]] = {}
        self.updates: list[dict[str, Any]] = []
        self.answered: list[dict[str, Any]] = []
        self._next = 88411

    def answer(self, received: Received) -> Answer:
        path = PATH.fullmatch(received.path)
        if path is None or path[1] != TOKEN:
            return _refusal(401 if path else 404, "Unauthorized" if path else "Not Found")
        fields = received.fields
        match path[2]:
            case "sendMessage":
                return self._place(fields) or self._text(fields) or self._send(fields)
            case "editMessageText":
                return self._place(fields) or self._text(fields) or self._edit(fields)
            case "getUpdates":
                first = fields.get("offset") or 0
                return _ok([update for update in self.updates if update["update_id"] >= first])
            case "answerCallbackQuery":
                self.answered.append(fields)
                return _ok(True)
        return _refusal(404, "Not Found: method not found")

    def _place(self, fields: Mapping[str, Any]) -> Answer | None:
        chat = fields["chat_id"]
        if chat in self.moved:
            said = "Bad Request: group chat was upgraded to a supergroup chat"
            return _refusal(400, said, migrate_to_chat_id=self.moved[chat])
        if chat in self.blocked:
            return _refusal(403, "Forbidden: bot was blocked by the user")
        if chat not in self.chats:
            return _refusal(400, "Bad Request: chat not found")
        return None

    def _text(self, fields: dict[str, Any]) -> Answer | None:
        text = fields["text"]
        if fields.get("parse_mode") == "HTML":
            reader = _Reader()
            reader.feed(text)
            reader.close()
            if reader.problem or reader.open or ENTITY.search(text):
                said = f"Bad Request: can't parse entities: {reader.problem or 'bad entity'}"
                return _refusal(400, said)
            text = "".join(reader.texts)
        if not text.strip():
            return _refusal(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > LONGEST:
            return _refusal(400, "Bad Request: message is too long")
        for row in fields.get("reply_markup", {}).get("inline_keyboard", []):
            if any(len(button["callback_data"].encode()) > 64 for button in row):
                return _refusal(400, "Bad Request: BUTTON_DATA_INVALID")
        fields["shown"] = text
        return None

    def _send(self, fields: dict[str, Any]) -> Answer:
        self._next += 1
        self.messages[fields["chat_id"], self._next] = fields
        return _ok({"message_id": self._next, "chat": {"id": fields["chat_id"]}})

    def _edit(self, fields: dict[str, Any]) -> Answer:
        place = (fields["chat_id"], fields["message_id"])
        old = self.messages.get(place)
        if old is None:
            return _refusal(400, "Bad Request: message to edit not found")
        if (old["text"], _keys(old)) == (fields["text"], _keys(fields)):
            said = "Bad Request: message is not modified: specified new message content and reply markup are the same"
            return _refusal(400, said)
        self.messages[place] = fields
        return _ok({"message_id": place[1], "chat": {"id": place[0]}})


class _Reader(HTMLParser):
    """Telegram's HTML: a few tags, each closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.problem = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in TAGS:
            self.problem = f'Unsupported start tag "{tag}"'
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problem = f'Unexpected end tag "{tag}"'

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def throttled(seconds: int) -> Answer:
    return _refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def _keys(fields: Mapping[str, Any]) -> Any:
    return fields.get("reply_markup", {}).get("inline_keyboard", [])


def _ok(result: Any) -> Answer:
    return Answer(200, {"ok": True, "result": result})


def _refusal(status: int, description: str, **parameters: int) -> Answer:
    body = {"ok": False, "error_code": status, "description": description}
    return Answer(status, body | ({"parameters": parameters} if parameters else {}))
