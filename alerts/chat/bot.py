"""Telegram's Bot API, as far as buttons need it: reading updates and answering them."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings

from alerts import guarding
from alerts.channels.base import SendFailed
from alerts.channels.http import post

logger = logging.getLogger(__name__)

# Seconds for one call, all in all. A poll may wait WAIT_S for the next update.
LIMIT_S = 5.0
WAIT_S = 1
# One answer is read up to 64 KiB, and each update brings the message it is about.
UPDATES = 5


@dataclass(frozen=True, slots=True)
class Call:
    """A method of the Bot API with its parameters."""

    method: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bot:
    token: str = field(repr=False)

    @property
    def id(self) -> str:
        """The bot's own id, which is no secret."""
        return self.token.partition(":")[0][:32]

    def updates(self, *, offset: int) -> list[Mapping[str, Any]]:
        """What happened from this update on, which Telegram forgets up to it. Raises SendFailed."""
        params = {
            "offset": offset,
            "limit": UPDATES,
            "timeout": WAIT_S,
            "allowed_updates": ["callback_query", "message"],
        }
        found = self.call(Call("getUpdates", params))
        return [update for update in found if isinstance(update, dict)] if isinstance(found, list) else []

    def answer(self, calls: Iterable[Call]) -> None:
        """Make the calls. One that fails is logged: what the press did is done all the same."""
        for call in calls:
            try:
                self.call(call)
            except SendFailed as error:
                logger.warning("Telegram did not take an answer (%s): %s", call.method, error.text)

    def call(self, call: Call) -> Any:
        """Its result. Raises SendFailed, without the token in its text; also if Telegram fails, and is not asked for a while."""
        return guarding.call(f"telegram-bot:{self.id}", partial(self._call, call))

    def _call(self, call: Call) -> Any:
        address = f"{settings.ALERTS_TELEGRAM_URL}/bot{self.token}/{call.method}"
        body = json.dumps(call.params).encode()
        answer = post(address, body, {"Content-Type": "application/json"}, limit=LIMIT_S)
        try:
            content = json.loads(answer.body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise SendFailed(
                f"Telegram answered {answer.status} with what is no JSON object", status=answer.status
            )
        if answer.status != 200 or content.get("ok") is not True:
            raise _failure(answer.status, content, self.token)
        return content.get("result")


def _failure(status: int, content: Mapping[str, Any], token: str) -> SendFailed:
    said = str(content.get("description", "")).replace(token, "[secret]")
    asked = content.get("parameters")
    wait = asked.get("retry_after") if isinstance(asked, dict) else None
    return SendFailed(
        f"Telegram answered {status}: {said}",
        permanent=status in (401, 403, 404),
        status=status,
        retry_after=float(wait) if isinstance(wait, int | float) else None,
    )
