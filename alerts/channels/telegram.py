"""Telegram, through a bot's HTTP API."""

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any

from django.conf import settings as django_settings

from alerts.channels.base import Pace, Receipt, SendFailed
from alerts.channels.http import Answer, Deadline, post, seconds_to_wait
from alerts.channels.message import Button, Message
from alerts.channels.story import Story, fit, is_silent, more, plain, tell
from alerts.choices import ChannelKind
from alerts.redaction import redact

# UTF-16 units, markup not counted.
LONGEST_TEXT = 4096
UNCHANGED = "message is not modified"
REFUSED_FORMAT = re.compile(r"can't parse entities|unsupported start tag|can't find end", re.IGNORECASE)
# After a group has become a supergroup its id is another one.
MOST_MOVES = 2


class _Refused(SendFailed):
    """Telegram said no. `moved_to`: the chat's new id."""

    moved_to: int | None = None


class TelegramTransport:
    """Settings: `chat_id`, `thread_id` (a topic of a group). Secrets: `token`."""

    kind = ChannelKind.TELEGRAM.value
    can_edit = True

    def __init__(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        self._chat: int | str = settings["chat_id"]
        self._thread: int | None = settings.get("thread_id")
        self._token = secrets["token"]
        # Telegram's limits: one message a second in a chat, twenty a minute in a group.
        self.pace = Pace(per_second=1, per_minute=20 if str(self._chat)[0] in "-@" else None)

    def send(self, message: Message) -> Receipt:
        fields: dict[str, Any] = {"disable_notification": is_silent(message)}
        if self._thread is not None:
            fields["message_thread_id"] = self._thread
        if message.reply_to:
            fields["reply_parameters"] = {
                "message_id": message.reply_to["message"],
                "allow_sending_without_reply": True,
            }
        if message.buttons:
            fields["reply_markup"] = _keyboard(message.buttons)
        return self._tell("sendMessage", message, self._chat, fields)

    def edit(self, message: Message, external: Mapping[str, Any]) -> Receipt:
        fields = {"message_id": external["message"], "reply_markup": _keyboard(message.buttons)}
        try:
            return self._tell("editMessageText", message, external["chat"], fields)
        except _Refused as error:
            if UNCHANGED in error.text:
                return Receipt(external)
            raise

    def _tell(self, method: str, message: Message, chat: int | str, fields: Mapping[str, Any]) -> Receipt:
        """With markup; without it if the markup is refused; to the new place if the chat has moved."""
        deadline = Deadline()
        story = fit(tell(message), LONGEST_TEXT)
        text: dict[str, Any] = {"text": _html(story), "parse_mode": "HTML"}
        for _ in range(MOST_MOVES):
            try:
                try:
                    result = self._call(method, {"chat_id": chat, **text, **fields}, deadline)
                except _Refused as error:
                    if not error.format_refused:
                        raise
                    text = {"text": plain(story)}
                    result = self._call(method, {"chat_id": chat, **text, **fields}, deadline)
            except _Refused as error:
                if error.moved_to is None:
                    raise
                chat = error.moved_to
            else:
                moved = {} if chat in (self._chat, str(self._chat)) else {"chat_id": chat}
                return Receipt({"chat": chat, "message": result["message_id"]}, settings=moved)
        raise SendFailed("Telegram: the chat has moved again and again", permanent=True)

    def _call(self, method: str, fields: Mapping[str, Any], deadline: Deadline) -> Mapping[str, Any]:
        """Telegram's `result`."""
        url = f"{django_settings.ALERTS_TELEGRAM_URL}/bot{self._token}/{method}"
        body = json.dumps({**fields, "link_preview_options": {"is_disabled": True}}).encode()
        answer = post(url, body, {"Content-Type": "application/json"}, limit=deadline.left())
        reply = _read(answer)
        result = reply.get("result")
        if reply.get("ok") is True and isinstance(result, dict) and "message_id" in result:
            return result
        raise self._refusal(answer, reply)

    def _refusal(self, answer: Answer, reply: Mapping[str, Any]) -> _Refused:
        parameters = reply.get("parameters")
        parameters = parameters if isinstance(parameters, dict) else {}
        said = str(reply.get("description") or f"HTTP {answer.status}")
        retry_after = parameters.get("retry_after")
        refused = _Refused(
            redact(f"Telegram: {said}", (self._token,)),
            # Of 2xx without `ok` nobody knows what it was.
            permanent=400 <= answer.status < 500 and answer.status not in (408, 429),
            status=answer.status,
            retry_after=float(retry_after) if isinstance(retry_after, int | float) else seconds_to_wait(answer),
            maybe_delivered=answer.status < 300 or answer.status in (502, 504),
            format_refused=answer.status == 400 and REFUSED_FORMAT.search(said) is not None,
        )  # fmt: skip
        moved_to = parameters.get("migrate_to_chat_id")
        refused.moved_to = moved_to if isinstance(moved_to, int) else None
        return refused


def _html(story: Story) -> str:
    """The story in Telegram's HTML. Everything is escaped after it was cut."""
    facts = "\n".join(f"{_safe(name)}: <code>{_safe(value)}</code>" for name, value in story.facts)
    parts = [
        "\n".join((f"<b>{_safe(story.headline)}</b>", *map(_safe, story.status))),
        _safe(story.text),
        facts,
        _safe("\n".join(story.lines)),
        more(story),
        _safe(story.link),
    ]
    return "\n\n".join(part for part in parts if part)


def _safe(text: str) -> str:
    return escape(text, quote=False)


def _keyboard(buttons: tuple[Button, ...]) -> dict[str, Any]:
    """One row for each button: three beside each other are cut off on a phone."""
    return {
        "inline_keyboard": [[{"text": button.label, "callback_data": button.token}] for button in buttons]
    }


def _read(answer: Answer) -> Mapping[str, Any]:
    try:
        reply = json.loads(answer.body)
    except ValueError:
        return {}
    return reply if isinstance(reply, dict) else {}
