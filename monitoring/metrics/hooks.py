"""What is to happen when a batch has been counted. Later parts register theirs; ingest knows none of them."""

import logging
from collections.abc import Callable, Collection
from datetime import datetime

logger = logging.getLogger(__name__)

Listener = Callable[[Collection[str], Collection[str], datetime], None]

_listeners: list[Listener] = []


def register_listener(listener: Listener) -> None:
    """Call `listener(names, clients, now)` after each batch; once, however often it is registered."""
    if listener not in _listeners:
        _listeners.append(listener)


def after_batch(names: Collection[str], clients: Collection[str], now: datetime) -> None:
    """Call after the commit of a batch that changed series of these names. A listener that fails is logged: the batch is counted."""
    for listener in _listeners:
        try:
            listener(names, clients, now)
        except Exception:
            logger.exception("A batch is counted, but what was to follow it failed")
