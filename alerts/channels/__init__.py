"""Channels: one small module for each kind. `transport()` makes a channel ready to be used."""

from collections.abc import Mapping
from typing import Any, Protocol

from alerts.channels.apprise import AppriseTransport
from alerts.channels.base import SendFailed, Transport
from alerts.channels.email import EmailTransport
from alerts.channels.slack import SlackTransport
from alerts.channels.telegram import TelegramTransport
from alerts.channels.webhook import WebhookTransport
from alerts.choices import ChannelKind
from alerts.models import Channel
from alerts.sealing import SealBroken, unseal


class _Maker(Protocol):
    def __call__(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Transport: ...


TRANSPORTS: Mapping[str, _Maker] = {
    ChannelKind.TELEGRAM: TelegramTransport,
    ChannelKind.SLACK: SlackTransport,
    ChannelKind.EMAIL: EmailTransport,
    ChannelKind.WEBHOOK: WebhookTransport,
    ChannelKind.APPRISE: AppriseTransport,
}


def transport(channel: Channel) -> Transport:
    """The channel, with its secrets unsealed. Raises SendFailed (permanent) where they cannot be read, or one is missing."""
    try:
        return TRANSPORTS[channel.kind](channel.settings, unseal(channel.secrets))
    except SealBroken as error:
        raise SendFailed(str(error), permanent=True) from None
    except KeyError as error:
        raise SendFailed(
            f"the channel's settings are not complete: {error.args[0]}", permanent=True
        ) from None
