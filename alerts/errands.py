"""What the outbox does beside its deliveries, in the same workers and after them: later parts of the console register it."""

import logging
from collections.abc import Callable
from datetime import datetime

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Errand = Callable[[Clock], None]

_errands: list[Errand] = []


def register_errand(errand: Errand) -> None:
    """Run it at the end of each turn of the ordinary outbox. It must be quick when there is nothing to do. Called once, from `ready()`."""
    _errands.append(errand)


def run(clock: Clock) -> None:
    """One that fails is logged; deliveries do not depend on it."""
    for errand in _errands:
        try:
            errand(clock)
        except Exception:
            logger.exception("An errand of the outbox has failed")
