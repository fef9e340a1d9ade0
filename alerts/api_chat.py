"""Where chats tell what was pressed: Slack's interactivity, and Telegram's webhook. They sign in by signature and secret, not by token."""

import hmac
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.chat import slack, telegram
from alerts.chat.polling import bots_of
from alerts.chat.replies import later
from alerts.chat.sealed import secret_of
from alerts.choices import ChannelKind
from alerts.models import Channel
from opsconsole.api.body import Body, read_body
from opsconsole.api.errors import ApiError

# Both send the whole message along with the press.
LIMIT = 256 * 1024
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


@extend_schema(exclude=True)
class SlackView(APIView):
    """The request URL of a Slack app: interactivity, and the slash command that links people."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        body, now = read_body(request, limit=LIMIT), timezone.now()
        channels = slack.signers(
            body=request._request.body,  # noqa: SLF001  the signature is over the bytes as they came
            timestamp=request.headers.get("X-Slack-Request-Timestamp", ""),
            signature=request.headers.get("X-Slack-Signature", ""),
            now=now,
        )
        if not channels:
            raise ApiError(
                403, "bad_signature", "The signature is not of a channel here, or not of the last 5 minutes."
            )
        if "command" in body.fields:
            form = {name: str(value) for name, value in body.fields.items()}
            return Response({"response_type": "ephemeral", "text": slack.handle_command(form, now=now)})
        reply = slack.handle_press(_payload(body), channels=channels, now=now)
        if reply is not None:
            later(partial(slack.send_reply, reply))
        return Response()


@extend_schema(exclude=True)
class TelegramView(APIView):
    """The webhook of a channel's bot, where it is not polled."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request, name: str) -> Response:
        body = read_body(request, limit=LIMIT)
        _check_secret(name, request.headers.get(SECRET_HEADER, ""))
        for bot, channels in bots_of(updates="webhook").values():
            if any(channel.name == name for channel in channels):
                calls = telegram.handle(body.or_refuse(), channels=channels, now=timezone.now())
                later(partial(bot.answer, calls))
        return Response()


def _check_secret(name: str, given: str) -> None:
    """The same answer for a channel that does not exist: nobody learns the names."""
    channel = Channel.objects.filter(name=name, kind=ChannelKind.TELEGRAM, enabled=True).first()
    secret = "" if channel is None else secret_of(channel, "webhook_secret")
    fits = hmac.compare_digest(secret.encode(), given.encode("utf-8", "replace"))
    if not secret or not fits:
        raise ApiError(403, "bad_secret", f"{SECRET_HEADER} is not the secret of a channel here.")


def _payload(body: Body) -> Mapping[str, Any]:
    try:
        payload = json.loads(str(body.fields.get("payload", "")))
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise ApiError(400, "invalid_body", "payload: must be a JSON object")
    return payload
