"""Who wants to know that beat has ticked. Beat knows no app by name: apps hand in a listener, which returns at once."""

from collections.abc import Callable

_listeners: list[Callable[[], None]] = []


def register_tick(listener: Callable[[], None]) -> None:
    """Called once, from the app's `ready()`."""
    _listeners.append(listener)


def ticked() -> None:
    for listener in _listeners:
        listener()
