"""The buttons below an alert in a chat. Their text there is a random token, of which the database has the digest."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from alerts.channels.message import Button
from alerts.chat.sealed import secret_of
from alerts.choices import AlertState, ChannelKind, ChatAct
from alerts.models import Alert, Channel, ChatButton
from alerts.verbs import trading_stop
from opsconsole.accounts.models import User

# 128 bits, as text that fits Telegram's 64 bytes.
TOKEN_BYTES = 16
CONFIRM_WITHIN_S = 60
# A press in time may reach the console later: bots are asked every two seconds, and may not answer at once.
CONFIRM = timedelta(seconds=CONFIRM_WITHIN_S + 15)
LASTS = {
    ChatAct.ACKNOWLEDGE: timedelta(hours=24),
    ChatAct.SILENCE: timedelta(hours=24),
    ChatAct.STOP: timedelta(hours=1),
    ChatAct.STOP_SCOPE: CONFIRM,
    ChatAct.STOP_ALL: CONFIRM,
}
EXPIRED = {
    ChatAct.ACKNOWLEDGE: "it worked for 24 hours",
    ChatAct.SILENCE: "it worked for 24 hours",
    ChatAct.STOP: "it worked for an hour",
    ChatAct.STOP_SCOPE: f"it worked for {CONFIRM_WITHIN_S} seconds",
    ChatAct.STOP_ALL: f"it worked for {CONFIRM_WITHIN_S} seconds",
}
LABELS = {
    ChatAct.ACKNOWLEDGE: "Acknowledge",
    ChatAct.SILENCE: "Silence for 1 h",
    # It asks before it stops.
    ChatAct.STOP: "Stop trading…",
}
STOPS = frozenset({ChatAct.STOP, ChatAct.STOP_SCOPE, ChatAct.STOP_ALL})
# Expired buttons still say so for a while.
KEPT = timedelta(days=7)


def buttons_for(*, alert: Alert, channel: Channel, now: datetime) -> list[Button]:
    """New buttons for a message about `alert` in `channel`: none where nothing is to be done, or presses cannot reach the console.

    Writes a row for each. Buttons of earlier versions of the message work on until they expire.
    """
    if alert.state != AlertState.FIRING or not takes_presses(channel):
        return []
    acts = [ChatAct.SILENCE] if alert.acknowledged_at else [ChatAct.ACKNOWLEDGE, ChatAct.SILENCE]
    if trading_stop() is not None:
        acts.append(ChatAct.STOP)
    return make_buttons({act: LABELS[act] for act in acts}, alert=alert, channel=channel, user=None, now=now)


def make_buttons(
    labels: Mapping[ChatAct, str], *, alert: Alert, channel: Channel, user: User | None, now: datetime
) -> list[Button]:
    """Buttons with their rows. With `user`, only that person's press counts."""
    tokens = {act: secrets.token_urlsafe(TOKEN_BYTES) for act in labels}
    ChatButton.objects.bulk_create(
        ChatButton(
            digest=digest(tokens[act]),
            alert=alert,
            channel=channel,
            act=act,
            user=user,
            created_at=now,
            expires_at=now + LASTS[act],
        )
        for act in labels
    )
    return [Button(label=label, token=tokens[act], danger=act in STOPS) for act, label in labels.items()]


def takes_presses(channel: Channel) -> bool:
    """Whether what is pressed in this channel reaches the console."""
    match channel.kind:
        case ChannelKind.TELEGRAM:
            return str(channel.settings.get("updates", "poll")) != "off"
        case ChannelKind.SLACK:
            return bool(secret_of(channel, "bot_token") and secret_of(channel, "signing_secret"))
    return False


def forget_buttons(*, now: datetime) -> int:
    """Delete those that expired long ago. Returns how many."""
    return ChatButton.objects.filter(expires_at__lt=now - KEPT).delete()[0]


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
