"""Slack, through an incoming webhook or a bot."""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.conf import settings as django_settings

from alerts.channels.base import Pace, Receipt, SendFailed
from alerts.channels.http import Answer, Deadline, post, seconds_to_wait
from alerts.channels.message import Message
from alerts.channels.slack_blocks import blocks, preview, safe, safe_length
from alerts.channels.story import fit, plain, tell
from alerts.choices import ChannelKind, DeliveryKind
from alerts.redaction import redact

LONGEST_TEXT = 4000
JSON = {"Content-Type": "application/json; charset=utf-8"}
WORD = re.compile(r"[a-z][a-z_]+")
# Slack's errors that pass by themselves; every other one is about us: a token, a channel, a right.
PASSING = frozenset(
    {
        *("ratelimited", "rate_limited", "message_limit_exceeded"),
        *("internal_error", "fatal_error", "service_unavailable", "request_timeout", "rollup_error"),
    }
)
# Of these nobody knows whether the message is there.
UNCERTAIN = frozenset({"internal_error", "fatal_error", "request_timeout"})
REFUSED_FORMAT = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "invalid_payload", "msg_blocks_too_long"}
)


class SlackTransport:
    """Settings: `channel`, for a bot. Secrets: `bot_token`, or else `webhook_url`."""

    kind = ChannelKind.SLACK.value
    pace = Pace(per_second=1)

    def __init__(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        self._token = secrets.get("bot_token", "")
        self._webhook = "" if self._token else secrets["webhook_url"]
        self._channel = settings["channel"] if self._token else ""
        self.can_edit = bool(self._token)

    def send(self, message: Message) -> Receipt:
        if self._webhook:
            return self._tell(message, {}, self._post_to_webhook)
        fields: dict[str, Any] = {"channel": self._channel}
        if message.reply_to:
            # An answer in a thread is seen by those who follow it; an escalation is for everybody.
            broadcast = message.kind == DeliveryKind.ESCALATION
            fields |= {"thread_ts": message.reply_to["ts"], "reply_broadcast": broadcast}
        return self._tell(message, fields, partial(self._call, "chat.postMessage"))

    def edit(self, message: Message, external: Mapping[str, Any]) -> Receipt:
        if not self.can_edit:
            raise SendFailed("Slack: an incoming webhook cannot change what it has sent", permanent=True)
        fields = {"channel": external["channel"], "ts": external["ts"]}
        return self._tell(message, fields, partial(self._call, "chat.update"))

    def _tell(
        self,
        message: Message,
        fields: Mapping[str, Any],
        call: Callable[[Mapping[str, Any], Deadline], Receipt],
    ) -> Receipt:
        """With blocks; without them if they are refused."""
        deadline = Deadline()
        common = {**fields, "unfurl_links": False, "unfurl_media": False}
        try:
            return call({**common, "text": preview(message), "blocks": blocks(message)}, deadline)
        except SendFailed as error:
            if not error.format_refused:
                raise
        text = safe(plain(fit(tell(message), LONGEST_TEXT, length=safe_length)))
        return call({**common, "text": text, "blocks": [], "mrkdwn": False}, deadline)

    def _post_to_webhook(self, fields: Mapping[str, Any], deadline: Deadline) -> Receipt:
        answer = post(self._webhook, json.dumps(fields).encode(), JSON, limit=deadline.left())
        if answer.status == 200:
            return Receipt()
        raise self._failure(answer, answer.body[:100].decode("utf-8", "replace").strip())

    def _call(self, method: str, fields: Mapping[str, Any], deadline: Deadline) -> Receipt:
        url = f"{django_settings.ALERTS_SLACK_URL}/{method}"
        headers = {**JSON, "Authorization": f"Bearer {self._token}"}
        answer = post(url, json.dumps(fields).encode(), headers, limit=deadline.left())
        reply = _read(answer)
        if reply.get("ok") is True and "ts" in reply:
            return Receipt({"channel": reply.get("channel", self._channel), "ts": reply["ts"]})
        raise self._failure(answer, str(reply.get("error") or ""))

    def _failure(self, answer: Answer, error: str) -> SendFailed:
        """`error`: Slack's own word for it, such as `channel_not_found`."""
        known = WORD.fullmatch(error) is not None
        said = error if known else f"HTTP {answer.status} {error}".strip()
        passing = answer.status in (408, 429) or answer.status >= 500 or error in PASSING
        return SendFailed(
            redact(f"Slack: {said}", (self._token, self._webhook)),
            # An answer in no words of Slack's came from something in between.
            permanent=not passing and (known or answer.status >= 400),
            status=answer.status,
            retry_after=seconds_to_wait(answer),
            maybe_delivered=error in UNCERTAIN or answer.status in (502, 504) or (answer.status < 300 and not known),
            format_refused=error in REFUSED_FORMAT,
        )  # fmt: skip


def _read(answer: Answer) -> Mapping[str, Any]:
    try:
        reply = json.loads(answer.body)
    except ValueError:
        return {}
    return reply if isinstance(reply, dict) else {}
