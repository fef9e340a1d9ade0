"""What people do in Telegram: they press buttons, and send codes that link them."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from alerts.channels.message import Button
from alerts.chat.bot import Call
from alerts.chat.people import ChatPerson
from alerts.chat.presses import Answer, press
from alerts.choices import ChatKind
from alerts.models import Channel
from alerts.services.linking import redeem

# What Telegram shows over the chat, at most.
NOTICE_LENGTH = 200
# `/start CODE` is what a link of the form t.me/<bot>?start=CODE sends.
COMMAND = re.compile(r"/(?:link|start)(?:@\w+)?\s+(\S{1,64})\s*")
LINKED = "You are {name} now: buttons that you press here act as yours."
NOT_LINKED = (
    "This code is not valid, or no more. Make a new one in the console, and send it within 10 minutes."
)
IN_PRIVATE = "Send codes in a private chat with me, where nobody else reads them. Make a new one."


def handle(update: Mapping[str, Any], *, channels: Sequence[Channel], now: datetime) -> list[Call]:
    """Do what the update asks for, and return the calls that answer it. `channels`: those that the bot serves.

    Outside of a transaction. The same update again does nothing again.
    """
    query, message = update.get("callback_query"), update.get("message")
    if isinstance(query, dict):
        return _press(query, channels=channels, now=now)
    if isinstance(message, dict):
        return _message(message, now=now)
    return []


def _press(query: Mapping[str, Any], *, channels: Sequence[Channel], now: datetime) -> list[Call]:
    person, message = _person(query.get("from")), _mapping(query.get("message"))
    token, chat = query.get("data"), _mapping(message.get("chat"))
    if person is None or not isinstance(token, str):
        return []
    own = {channel.pk for channel in channels if _is_chat(channel, chat)}
    answer = press(person=person, token=token, is_from=lambda channel: channel.pk in own, now=now)
    notice = {"callback_query_id": str(query.get("id", "")), "text": answer.text[:NOTICE_LENGTH]}
    calls = [Call("answerCallbackQuery", notice | {"show_alert": not answer.done})]
    if answer.buttons:
        return [
            _ask(answer, chat, message),
            Call("answerCallbackQuery", notice | {"text": "Stop? See below."}),
        ]
    if answer.closes and "id" in chat:
        place = {"chat_id": chat["id"], "message_id": message.get("message_id")}
        calls.append(Call("editMessageText", place | {"text": answer.text}))
    return calls


def _ask(answer: Answer, chat: Mapping[str, Any], message: Mapping[str, Any]) -> Call:
    """A message of its own below the alert's, since that one is rewritten whenever the alert changes."""
    reply = {"message_id": message.get("message_id"), "allow_sending_without_reply": True}
    params: dict[str, Any] = {
        "chat_id": chat.get("id"),
        "text": answer.text,
        "reply_parameters": reply,
        "reply_markup": {"inline_keyboard": [[_key(button)] for button in answer.buttons]},
    }
    if message.get("is_topic_message") is True:
        params["message_thread_id"] = message.get("message_thread_id")
    return Call("sendMessage", params)


def _key(button: Button) -> dict[str, str]:
    return {"text": button.label, "callback_data": button.token}


def _message(message: Mapping[str, Any], *, now: datetime) -> list[Call]:
    person, chat, text = _person(message.get("from")), _mapping(message.get("chat")), message.get("text")
    match = COMMAND.fullmatch(text) if isinstance(text, str) else None
    if person is None or match is None:
        return []
    if chat.get("type") != "private":
        return [Call("sendMessage", {"chat_id": chat.get("id"), "text": IN_PRIVATE})]
    user = redeem(person=person, code=match[1], now=now)
    said = NOT_LINKED if user is None else LINKED.format(name=user.display_name)
    return [Call("sendMessage", {"chat_id": chat.get("id"), "text": said})]


def _person(sender: Any) -> ChatPerson | None:
    fields = _mapping(sender)
    if not isinstance(fields.get("id"), int) or fields.get("is_bot") is True:
        return None
    username = fields.get("username")
    name = f"@{username}" if isinstance(username, str) else str(fields.get("first_name", ""))
    return ChatPerson(ChatKind.TELEGRAM, str(fields["id"]), name)


def _is_chat(channel: Channel, chat: Mapping[str, Any]) -> bool:
    """A channel names its chat by number, or by `@name` where that is public."""
    wanted = str(channel.settings.get("chat_id", "")).lower()
    username = chat.get("username")
    names = {str(chat["id"])} if isinstance(chat.get("id"), int) else set()
    if isinstance(username, str) and username:
        names.add(f"@{username.lower()}")
    return wanted in names


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
