"""What else is to happen when a process has reported. Later parts register theirs; the breakers know none of them."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Metered:
    """What one report brings for one breaker, as numbers. `states`: those it was in since the report before, the newest last (0 closed, 1
    half-open, 2 open). The others grew by so much; `changes`: changes of state by the state they led to.
    """

    breaker: str
    states: Sequence[int]
    changes: dict[str, int]
    rejected: int
    open_s: float


Meter = Callable[[str, Sequence[Metered], datetime], None]
Listener = Callable[[Collection[str], datetime], None]

_meters: list[Meter] = []
_listeners: list[Listener] = []


def register_meter(meter: Meter) -> None:
    """Call `meter(client, metered, now)` in the transaction of each report; once, however often it is registered."""
    if meter not in _meters:
        _meters.append(meter)


def register_listener(listener: Listener) -> None:
    """Call `listener(names, now)` after the commit of a report with changes of state of these breakers; once likewise."""
    if listener not in _listeners:
        _listeners.append(listener)


def meter_all(client: str, metered: Sequence[Metered], now: datetime) -> bool:
    """Whether all of them took it. What fails is logged and undone by itself: the report counts without."""
    try:
        with transaction.atomic():
            for meter in _meters:
                meter(client, metered, now)
    except Exception:
        logger.exception("Breakers of %s are reported, but their metrics were not counted", client)
        return False
    return True


def after_changes(names: Collection[str], now: datetime) -> None:
    """Call after the commit. A listener that fails is logged: the report is taken."""
    for listener in _listeners:
        try:
            listener(names, now)
        except Exception:
            logger.exception("Breakers have changed, but what was to follow failed")
