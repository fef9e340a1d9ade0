"""What every check gives, and how thresholds become a status."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol

from monitoring.health.choices import Status
from monitoring.health.state import worst

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Result:
    """What one look has found. `message`: a sentence without secrets. `response_ms`: of what was asked; None where nothing is asked."""

    status: Status
    message: str
    response_ms: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=lambda: NOTHING)


class Check(Protocol):
    """A dataclass. Secrets in it have `repr=False`."""

    def run(self, now: datetime) -> Result:
        """Look once. May raise anything: that is a failed check. What its error says is logged, never shown."""
        ...


class Failed(Exception):
    """The check has failed in a way that people may read. The text has no secrets."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One of several things that a check looks at: `words` say what is the matter, or that nothing is."""

    status: Status
    words: str


def above(value: float, degraded: float, unhealthy: float) -> Status:
    """A value that is worse the higher it is. Each threshold itself counts."""
    if value >= unhealthy:
        return Status.UNHEALTHY
    return Status.DEGRADED if value >= degraded else Status.HEALTHY


def below(value: float, degraded: float, unhealthy: float) -> Status:
    if value <= unhealthy:
        return Status.UNHEALTHY
    return Status.DEGRADED if value <= degraded else Status.HEALTHY


def together(
    findings: list[Finding],
    *,
    well: str,
    response_ms: float | None = None,
    metadata: Mapping[str, Any] = NOTHING,
) -> Result:
    """The worst of them, with all that is not well in its message; `well`: the message when nothing is the matter."""
    status = worst([finding.status for finding in findings])
    wrong = [finding.words for finding in findings if finding.status != Status.HEALTHY]
    return Result(status, "; ".join(wrong) or well, response_ms, metadata)


def slow(response_ms: float, degraded_ms: float, unhealthy_ms: float) -> Finding:
    return Finding(above(response_ms, degraded_ms, unhealthy_ms), f"It took {response_ms:,.0f} ms")
