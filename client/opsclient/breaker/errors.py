"""What a guarded call raises of its own, and what is kept of an exception that it let through."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

from opsclient.errors import OpsClientError
from opsclient.redaction import redact

LONGEST_TEXT = 500
_KEPT_TEXT = 2000  # before it is redacted: what is cut in the middle of a secret is not seen as one


@dataclass(frozen=True, slots=True)
class Cause:
    """An exception as a breaker remembers it: no traceback, so that nothing of the call is kept alive."""

    type: str
    _raw: str = field(default="", repr=False)

    @property
    def text(self) -> str:
        """Its words, redacted, at most LONGEST_TEXT characters."""
        text = redact(self._raw)
        return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"

    def as_dict(self) -> dict[str, str]:
        """As the console has it."""
        return {"type": self.type[:200], "text": self.text}

    def __str__(self) -> str:
        text = self.text
        return f"{self.type}: {text}" if text else self.type


def cause_of(error: BaseException) -> Cause:
    """What is kept of it. Never raises, whatever the exception's own methods do."""
    try:
        text = str(error)[:_KEPT_TEXT]
    except Exception:
        text = ""
    return Cause(type(error).__name__, text)


@dataclass(frozen=True, slots=True)
class Opening:
    """One time that a breaker is OPEN. Times are those of `time.monotonic`; `until` is infinite where only a person ends it."""

    opened_at: float
    until: float
    cause: Cause | None = None
    forced_by: str = ""  # who holds it open
    reason: str = ""
    forced: bool = False
    trying: bool = False  # it is HALF_OPEN already, and its permits are taken


class CircuitBreakerOpenError(OpsClientError):
    """The call was not made: the breaker `name` is open, or half-open and has no permit left.

    `retry_after`: seconds until it may be worth another try; None while an operator holds the breaker open. `last_cause`: the
    failure that opened it (`type`, `text`), or None. `forced`: whether an operator holds it open, and then `reason` says why.
    """

    # Made of (name, Opening, the time), and without an __init__ of its own, which would be half of what a rejection costs.
    args: tuple[str, Opening, float]

    @property
    def name(self) -> str:
        """The breaker's."""
        return self.args[0]

    @property
    def retry_after(self) -> float | None:
        """Seconds, as of the rejection."""
        _, opening, now = self.args
        return None if opening.until == math.inf else max(0.0, opening.until - now)

    @property
    def since(self) -> datetime:
        """When the breaker opened, by the wall clock, in UTC."""
        return datetime.now(UTC) - timedelta(seconds=max(0.0, monotonic() - self.args[1].opened_at))

    @property
    def last_cause(self) -> Cause | None:
        """What opened it."""
        return self.args[1].cause

    @property
    def forced(self) -> bool:
        """Whether an operator holds it open."""
        return self.args[1].forced

    @property
    def reason(self) -> str:
        """The operator's."""
        return self.args[1].reason

    def __str__(self) -> str:
        opening = self.args[1]
        if opening.forced:
            by = f" by {opening.forced_by}" if opening.forced_by else ""
            told = f": {opening.reason}" if opening.reason else ""
            return f"circuit breaker {self.name!r} is held open{by}{told}"
        if opening.trying:
            return f"circuit breaker {self.name!r} is half-open, and other calls try whether the service works again"
        retry = self.retry_after
        after = "" if retry is None else f", retry after {retry:.1f} s"
        last = "" if opening.cause is None else f"; last failure: {opening.cause}"
        return f"circuit breaker {self.name!r} is open{after}{last}"


class CallDeadlineExceeded(OpsClientError, TimeoutError):
    """A guarded call took longer than the breaker's own deadline, and was cancelled. It counts as a failure."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(name, seconds)
        self.name = name
        self.seconds = seconds

    def __str__(self) -> str:
        return f"the call guarded by {self.name!r} took longer than {self.seconds:g} s"
