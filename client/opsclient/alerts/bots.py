"""The process' own bots, of whatever library, as functions of one text that never raise and never tell a secret."""

import asyncio
import inspect
import logging
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from opsclient.alerts.alert import clean
from opsclient.handlers import Handler

logger = logging.getLogger("opsclient")

TELEGRAM_CHAT = "OPSCLIENT_TELEGRAM_CHAT_ID"
SLACK_CHANNEL = "OPSCLIENT_SLACK_CHANNEL"
CALL_S = 15.0

# What may stand in the words of a library's error: a bot's token, a Slack token, the address of a Slack webhook.
_SECRET = re.compile(r"bot\d+:[\w-]+|\b\d{6,}:[\w-]{20,}|xox[a-z]-[\w-]+|hooks\.slack\.com/\S+")

Send = Callable[[str], Awaitable[object] | object]


@dataclass(slots=True)
class Way:
    """One bot. `problem`: why nothing can be sent through it; empty if something can."""

    name: str
    handler: Handler
    problem: str = ""


def ways(telegram_bot: Any, slack_client: Any, chat_id: int | str | None, channel: str | None) -> list[Way]:
    """The given bots, as far as their kind is known. What cannot be used is logged, and named by `Way.problem`."""
    made = []
    if telegram_bot is not None:
        chat = chat_id or getattr(telegram_bot, "chat_id", None) or os.environ.get(TELEGRAM_CHAT)
        made.append(
            _way("telegram_bot", _telegram(telegram_bot, chat), f"give telegram_chat_id, or {TELEGRAM_CHAT}")
        )
    if slack_client is not None:
        where = channel or getattr(slack_client, "channel", None) or os.environ.get(SLACK_CHANNEL)
        made.append(
            _way("slack_client", _slack(slack_client, where), f"give slack_channel, or {SLACK_CHANNEL}")
        )
    for way in made:
        if way.problem:
            logger.warning("%s cannot be used: %s", way.name, way.problem)
    return made


def _way(name: str, send: Send | str | None, missing: str) -> Way:
    if send is None:
        return Way(name, Handler(str, name=name), f"it does not say where to send to; {missing}")
    if isinstance(send, str):
        return Way(name, Handler(str, name=name), send)
    return Way(name, Handler(_Guarded(send), name=name))


def _telegram(bot: Any, chat: object) -> Send | str | None:
    """python-telegram-bot's Bot, something of the kind with a chat of its own, or a function of the text."""
    method = getattr(bot, "send_message", None)
    if method is None:
        return bot if callable(bot) else "it has no send_message(chat_id, text)"
    if "chat_id" not in _parameters(method):
        return method  # type: ignore[no-any-return]  # of an object that says so
    return None if chat is None else lambda text: method(chat_id=chat, text=text)


def _slack(client: Any, channel: object) -> Send | str | None:
    """slack_sdk's WebClient, its WebhookClient, something with send_message(text), or a function of the text."""
    post = getattr(client, "chat_postMessage", None)
    if post is not None:
        return None if channel is None else lambda text: post(channel=channel, text=text)
    webhook = getattr(client, "send", None)
    if webhook is not None and "text" in _parameters(webhook):
        return lambda text: webhook(text=text)
    method = getattr(client, "send_message", None) or (client if callable(client) else None)
    return "it has no chat_postMessage(channel, text)" if method is None else method


def _parameters(function: Callable[..., object]) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    names = [parameter.name for parameter in parameters]
    anything = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    return [*names, "chat_id", "text"] if anything else names


class _Guarded:
    """Calls a bot and returns what went wrong, without its secrets, in place of raising it; empty if it went well."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def __call__(self, text: str) -> Awaitable[str] | str:
        try:
            value = self._send(text)
        except Exception as error:
            return redacted(error)
        return self._finish(value) if inspect.isawaitable(value) else ""

    async def _finish(self, value: Awaitable[object]) -> str:
        try:
            await asyncio.wait_for(_awaited(value), CALL_S)
        except Exception as error:
            return redacted(error)
        return ""


async def _awaited(value: Awaitable[object]) -> object:
    return await value


def redacted(error: BaseException) -> str:
    """The error's type and words, without tokens."""
    return _SECRET.sub("…", f"{type(error).__name__}: {clean(error, 300)}")
