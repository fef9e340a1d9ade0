"""What is written down about what to do for an alert, and who works on it. Alerts know no runbooks: whoever has some hands in how to ask."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alerts.models import Alert

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Guide:
    """A runbook of this alert. `key` makes ids; `open_url` takes a POST with `alert`, its number. `url`: where it can be read first."""

    key: str
    name: str
    summary: str
    url: str
    open_url: str


@dataclass(frozen=True, slots=True)
class Work:
    """An incident of this alert: `words` say how it stands."""

    number: int
    is_open: bool
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Help:
    guides: Sequence[Guide] = ()
    work: Sequence[Work] = ()


_found_by: list[Callable[[Alert], Help]] = []


def register(find: Callable[[Alert], Help]) -> None:
    """Called once, from the app's `ready()`."""
    if _found_by:
        raise RuntimeError("somebody hands in runbooks already")
    _found_by.append(find)


def found(alert: Alert) -> Help:
    """Empty when there is nothing. What cannot be read keeps nobody from the alert."""
    for find in _found_by:
        try:
            return find(alert)
        except Exception:
            logger.exception("The runbooks of alert %s could not be found", alert.pk)
    return Help()
