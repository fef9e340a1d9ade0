"""A hundred more services, through Apprise (https://github.com/caronc/apprise)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType
from apprise.result import AppriseResult, AppriseResultStatus

from alerts.channels.base import SEND_LIMIT, Pace, Receipt, SendFailed
from alerts.channels.message import Message
from alerts.channels.story import fit, plain, summary, tell
from alerts.choices import AlertState, ChannelKind, Priority
from alerts.redaction import redact

LONGEST_TEXT = 32_000
SHORTEST_TEXT = 60
# What is left of a body's room for its title, in services that have none of their own.
TITLE_ROOM = 250
SHORTEST_SECRET = 6
TYPES = {
    Priority.CRITICAL: NotifyType.FAILURE,
    Priority.HIGH: NotifyType.FAILURE,
    Priority.MEDIUM: NotifyType.WARNING,
    Priority.LOW: NotifyType.INFO,
}


class AppriseTransport:
    """Secrets: `url`, one service of Apprise's, such as `discord://…`.

    Apprise waits for its services in threads of its own; one that does not come back within SEND_LIMIT is left behind there.
    """

    kind = ChannelKind.APPRISE.value
    can_edit = False
    pace = Pace(per_second=1)

    def __init__(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        self._url = secrets["url"]

    def send(self, message: Message) -> Receipt:
        # Redirects could carry the secret elsewhere; services one after the other, for there is one.
        apprise = Apprise(asset=AppriseAsset(http_redirects=False, async_mode=False, secure_logging=True))
        if not apprise.add(self._url):
            raise SendFailed("Apprise does not know this URL, or something is missing in it", permanent=True)
        room = min(LONGEST_TEXT, int(apprise[0].body_maxlen)) - TITLE_ROOM
        story = fit(tell(message), max(SHORTEST_TEXT, room), length=len)
        body = plain(replace(story, headline="")).strip() or story.headline
        with apprise.notify(
            body=body,
            title=summary(message),
            notify_type=_type(message),
            body_format=NotifyFormat.TEXT,
            timeout=SEND_LIMIT,
        ) as result:
            if not result:
                raise self._failure(result)
        return Receipt()

    def edit(self, message: Message, external: Mapping[str, Any]) -> Receipt:
        raise SendFailed("Apprise cannot change what it has sent", permanent=True)

    def _failure(self, result: AppriseResult) -> SendFailed:
        """Apprise tells reasons in its log only, and never whether another try would help: so one is worth it."""
        timed_out = result.status == AppriseResultStatus.TIMEOUT
        said = "; ".join(" ".join(entry.message.split()) for entry in result.logs())
        why = "no answer in time; it may have arrived" if timed_out else said or "the service refused it"
        return SendFailed(redact(f"Apprise: {why}", _parts(self._url)), maybe_delivered=timed_out)


def _parts(url: str) -> list[str]:
    """All in a URL that may be a secret: each service has its own place for it, and some name it in their reasons."""
    rest = unquote(url.partition("://")[2])
    return [url, *(part for part in re.split(r"[^\w-]+", rest) if len(part) >= SHORTEST_SECRET)]


def _type(message: Message) -> NotifyType:
    return NotifyType.SUCCESS if message.state == AlertState.RESOLVED else TYPES[message.priority]
