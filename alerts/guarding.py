"""May it be tried now? Asked before each call to the other side of a channel or a chat. Later parts register who answers (circuit breakers).

Without a guard everything is tried. A guard that fails lets through: nothing that is to be told may depend on it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from alerts.channels.base import SendFailed
from alerts.models import Channel
from alerts.wording import clock

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """Not now: the other side fails. `retry_s`: when to ask again; None: when somebody has released it (`forced`: somebody holds it)."""

    breaker: str
    since: datetime
    retry_s: float | None
    forced: bool = False

    def __str__(self) -> str:
        return self.words("is")

    def words(self, verb: str) -> str:
        """`circuit breaker telegram:desk is open since 10:31:02 UTC`."""
        state = "held open" if self.forced else "open"
        return f"circuit breaker {self.breaker} {verb} {state} since {clock(self.since)}"

    def as_json(self) -> dict[str, Any]:
        return {"breaker": self.breaker, "since": self.since.isoformat(), "forced": self.forced}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Held":
        since = datetime.fromisoformat(kept["since"]).astimezone(UTC)
        return cls(str(kept["breaker"]), since, None, bool(kept["forced"]))


class Permit(Protocol):
    """For one try."""

    @property
    def in_doubt(self) -> bool:
        """Whether the other side has failed lately, and this try is to show whether it works again."""

    def ended(self, error: Exception | None) -> None:
        """It has been tried, with this error or none. Never raises."""


class Guard(Protocol):
    def __call__(self, name: str, *, urgent: bool) -> Permit | Held:
        """A permit, or why not. What is `urgent` is held only if a person wants it so."""


class _Free:
    in_doubt = False

    def ended(self, error: Exception | None) -> None:
        pass


FREE: Permit = _Free()
_guards: list[Guard] = []


def register(guard: Guard) -> None:
    """Ask this one from now on, in place of who was asked before."""
    _guards[:] = [guard]


def enter(name: str, *, urgent: bool) -> Permit | Held:
    """Ask for one try."""
    for guard in _guards:
        try:
            return guard(name, urgent=urgent)
        except Exception:
            logger.exception("The guard of %s failed; it is tried without", name)
    return FREE


def call(name: str, function: Callable[[], T]) -> T:
    """Call it, if it may be tried now. Raises SendFailed: what it raises, or that it was not tried."""
    permit = enter(name, urgent=False)
    if isinstance(permit, Held):
        raise SendFailed(f"not tried: {permit}", retry_after=permit.retry_s)
    try:
        result = function()
    except Exception as error:
        permit.ended(error)
        raise
    permit.ended(None)
    return result


def name_of(channel: Channel) -> str:
    """Of the channel's breaker."""
    return f"{channel.kind}:{channel.name}"
