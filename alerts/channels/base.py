"""What every kind of channel can do, and how it says that it could not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from alerts.channels.message import Message

# Seconds that one send may take, whatever the other side does; a claim on a delivery must be longer.
SEND_LIMIT = 20.0
# As long as the columns that keep it.
LONGEST_ERROR = 500
# Of 4xx: the other side waited for us in vain; it serves somebody else, or ends (SMTP).
OUT_OF_ORDER = frozenset({408, 421})


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a channel may be used. None: as often as one likes."""

    per_second: float | None = None
    per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """It has arrived. `external`: the other side's own id of the message, for `edit` and `Message.reply_to`.

    `settings`: what the other side told us to change in the channel's settings from now on, such as the new id of a chat that has moved.
    """

    external: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


class SendFailed(Exception):
    """It was not sent, or nobody knows. `text` is for people, has no secrets, and at most 500 characters.

    `permanent`: another try would fail in the same way. `status`: of HTTP or SMTP. `retry_after`: seconds that we were asked to wait.
    `maybe_delivered`: cut off or timed out after the request was out. `format_refused`: the markup was refused (transports try once more
    with plain text by themselves, so this stands only where that failed, too).
    """

    def __init__(
        self,
        text: str,
        *,
        permanent: bool = False,
        status: int | None = None,
        retry_after: float | None = None,
        maybe_delivered: bool = False,
        format_refused: bool = False,
    ) -> None:
        text = text if len(text) <= LONGEST_ERROR else f"{text[: LONGEST_ERROR - 1]}…"
        super().__init__(text)
        self.text = text
        self.permanent = permanent
        self.status = status
        self.retry_after = retry_after
        self.maybe_delivered = maybe_delivered
        self.format_refused = format_refused

    @property
    def is_outage(self) -> bool:
        """Whether the other side is out of order or out of reach; not that it refuses this, or asks us to wait."""
        if self.permanent:
            return False
        return self.status is None or not 400 <= self.status < 500 or self.status in OUT_OF_ORDER

    @property
    def is_own(self) -> bool:
        """Whether nobody was asked at all: it cannot be sent as it is."""
        return self.permanent and self.status is None


class Transport(Protocol):
    """One channel, ready to be used. Blocking; every call ends within SEND_LIMIT seconds, or a few more where a name server is slow."""

    @property
    def kind(self) -> str: ...

    @property
    def can_edit(self) -> bool:
        """Whether a message can be changed in its place."""

    @property
    def pace(self) -> Pace: ...

    def send(self, message: Message) -> Receipt:
        """Send it, as an answer to `message.reply_to` where there is such a thing. Raises SendFailed."""

    def edit(self, message: Message, external: Mapping[str, Any]) -> Receipt:
        """Change the message that has this id, without a sound. Raises SendFailed."""
