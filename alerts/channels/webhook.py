"""A signed webhook: JSON by POST to a receiver of one's own. docs/channels.md says how to verify it."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings as django_settings
from django.core.serializers.json import DjangoJSONEncoder

from alerts.channels.base import SEND_LIMIT, Pace, Receipt, SendFailed
from alerts.channels.http import Address, Answer, post, seconds_to_wait
from alerts.channels.message import Message
from alerts.channels.networks import refusal
from alerts.choices import ChannelKind
from alerts.redaction import redact

VERSION = 1
# Statuses of 4xx that may pass.
PASSING = frozenset({408, 409, 423, 425, 429})
# A proxy that gave up waiting: its receiver may be working on it.
UNCERTAIN = frozenset({502, 504})


class WebhookTransport:
    kind = ChannelKind.WEBHOOK.value
    can_edit = False
    pace = Pace()

    def __init__(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        self._url = secrets["url"]
        self._key = secrets.get("signing_key", "")
        self._authorization = secrets.get("authorization", "")

    def send(self, message: Message) -> Receipt:
        body = body_of(message)
        answer = post(self._url, body, self._headers(message, body), allowed=allowed, limit=SEND_LIMIT)
        if not 200 <= answer.status < 300:
            raise self._failure(answer)
        return Receipt()

    def edit(self, message: Message, external: Mapping[str, Any]) -> Receipt:
        raise SendFailed("a webhook cannot change what it has sent", permanent=True)

    def _headers(self, message: Message, body: bytes) -> dict[str, str]:
        timestamp = str(int(message.now.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": str(message.key),
            "X-Opsconsole-Attempt": str(message.attempt),
            "X-Opsconsole-Timestamp": timestamp,
        }
        if message.maybe_duplicate:
            headers["X-Opsconsole-Maybe-Duplicate"] = "true"
        if self._key:
            headers["X-Opsconsole-Signature"] = signature(self._key, timestamp, body)
        if self._authorization:
            headers["Authorization"] = self._authorization
        return headers

    def _failure(self, answer: Answer) -> SendFailed:
        if 300 <= answer.status < 400:
            text = "it answers with a redirect, which is not followed: give the address that it leads to"
        else:
            text = " ".join(answer.body[:200].decode("utf-8", "replace").split())
        return SendFailed(
            redact(f"HTTP {answer.status}: {text}", (self._url, self._key, self._authorization)),
            status=answer.status,
            permanent=300 <= answer.status < 500 and answer.status not in PASSING,
            retry_after=seconds_to_wait(answer),
            maybe_delivered=answer.status in UNCERTAIN,
        )


def signature(key: str, timestamp: str, body: bytes) -> str:
    """`v1=` and the HMAC-SHA-256 of `<timestamp>.<body>` in hex."""
    digest = hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


def body_of(message: Message) -> bytes:
    """The JSON of docs/channels.md: what it is about is in `data`."""
    fields = {
        "version": VERSION,
        "key": str(message.key),
        "kind": message.kind.value,
        "sent_at": message.now,
        "attempt": message.attempt,
        "maybe_duplicate": message.maybe_duplicate,
        "priority": message.priority.value,
        "category": message.category,
        "title": message.title,
        "url": message.alert_url,
        **message.data,
    }
    return json.dumps(fields, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":")).encode()


def allowed(address: Address) -> str | None:
    return refusal(address, django_settings.ALERTS_WEBHOOK_NETWORKS)
