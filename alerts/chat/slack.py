"""What people do in Slack: they press buttons, and send the slash command that links them. Each request is signed by Slack."""

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from alerts import guarding
from alerts.channels.base import SendFailed
from alerts.channels.http import post
from alerts.channels.message import Button
from alerts.chat.people import ChatPerson
from alerts.chat.presses import Answer, press
from alerts.chat.sealed import secret_of
from alerts.choices import ChannelKind, ChatKind
from alerts.models import Channel
from alerts.services.linking import redeem

logger = logging.getLogger(__name__)

# A signature counts for so long before and after, so that a recorded request is of no use later.
WITHIN_S = 300
REPLY_LIMIT_S = 5.0
REPLIES_FROM = "hooks.slack.com"
LINKED = "You are {name} now: buttons that you press here act as yours."
NOT_LINKED = (
    "This code is not valid, or no more. Make a new one in the console, and send it within 10 minutes."
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What only the person who pressed sees, or (`replaces`) what stands in place of what they saw."""

    url: str
    text: str
    buttons: tuple[Button, ...] = ()
    replaces: bool = False


def signers(*, body: bytes, timestamp: str, signature: str, now: datetime) -> list[Channel]:
    """The enabled channels whose app signed this request; none for a wrong signature, or one that is not of now."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
        return []
    if abs(now.timestamp() - int(timestamp)) > WITHIN_S:
        return []
    channels = Channel.objects.filter(kind=ChannelKind.SLACK, enabled=True).order_by("pk")
    return [channel for channel in channels if _has_signed(channel, body, timestamp, signature)]


def _has_signed(channel: Channel, body: bytes, timestamp: str, signature: str) -> bool:
    secret = secret_of(channel, "signing_secret")
    if not secret:
        return False
    expected = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={expected}".encode(), signature.encode("utf-8", "replace"))


def handle_press(payload: Mapping[str, Any], *, channels: Sequence[Channel], now: datetime) -> Reply | None:
    """Do what a pressed button is for. None: it was something else. Outside of a transaction."""
    actions, user = payload.get("actions"), _mapping(payload.get("user"))
    if payload.get("type") != "block_actions" or not isinstance(actions, list) or not actions:
        return None
    token, person = _mapping(actions[0]).get("value"), _person(user)
    if not isinstance(token, str) or person is None:
        return None
    place = _mapping(payload.get("channel"))
    own = {channel.pk for channel in channels if _is_place(channel, place)}
    answer = press(person=person, token=token, is_from=lambda channel: channel.pk in own, now=now)
    return _reply(str(payload.get("response_url", "")), answer)


def handle_command(form: Mapping[str, str], *, now: datetime) -> str:
    """Link the person who sent the code. Returns what they are told."""
    person = _person({"id": form.get("user_id"), "username": form.get("user_name")})
    user = None if person is None else redeem(person=person, code=form.get("text", ""), now=now)
    return NOT_LINKED if user is None else LINKED.format(name=user.display_name)


def send_reply(reply: Reply) -> None:
    """Tell the person. One that fails is logged: what the press did is done all the same."""
    if not _is_slacks(reply.url):
        logger.warning("A reply to a press was not sent: its address is not Slack's")
        return
    body: dict[str, Any] = {
        "response_type": "ephemeral",
        "replace_original": reply.replaces,
        "text": reply.text,
    }
    if reply.buttons:
        body["blocks"] = _blocks(reply)
    try:
        guarding.call("slack-replies", partial(_post, reply.url, body))
    except SendFailed as error:
        logger.warning("Slack did not take a reply to a press: %s", error.text)


def _post(url: str, body: Mapping[str, Any]) -> None:
    answer = post(
        url,
        json.dumps(body).encode(),
        {"Content-Type": "application/json; charset=utf-8"},
        limit=REPLY_LIMIT_S,
    )
    if answer.status != 200:
        raise SendFailed(f"it answered {answer.status}", status=answer.status)


def _reply(url: str, answer: Answer) -> Reply:
    return Reply(url=url, text=answer.text, buttons=answer.buttons, replaces=answer.closes)


def _blocks(reply: Reply) -> list[dict[str, Any]]:
    buttons = [
        {
            "type": "button",
            "action_id": f"confirm-{number}",
            "style": "danger",
            "text": {"type": "plain_text", "text": button.label[:75]},
            "value": button.token,
        }
        for number, button in enumerate(reply.buttons)
    ]
    text = {"type": "section", "text": {"type": "plain_text", "text": reply.text}}
    return [text, {"type": "actions", "elements": buttons}]


def _is_slacks(url: str) -> bool:
    """The address came in a signed request; all the same, nothing but Slack is called."""
    own, parts = urlsplit(settings.ALERTS_SLACK_URL), urlsplit(url)
    at_slack = parts.scheme == "https" and parts.netloc == REPLIES_FROM
    return at_slack or (parts.scheme, parts.netloc) == (own.scheme, own.netloc)


def _person(user: Mapping[str, Any]) -> ChatPerson | None:
    external_id = user.get("id")
    if not isinstance(external_id, str) or not external_id:
        return None
    return ChatPerson(ChatKind.SLACK, external_id, str(user.get("username") or user.get("name") or ""))


def _is_place(channel: Channel, place: Mapping[str, Any]) -> bool:
    wanted = channel.settings.get("channel")
    return bool(wanted) and wanted == place.get("id")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
