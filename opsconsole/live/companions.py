"""What goes on in a web process beside its hub. The web process knows no app by name: apps hand theirs in."""

from collections.abc import Callable
from typing import Protocol

from opsconsole.live.hub import Hub


class Companion(Protocol):
    """Started on the event loop once the hub is. `start` neither waits nor asks the database; `stop` takes a second or two at most."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...


_made_by: list[Callable[[Hub], Companion]] = []


def register_companion(make: Callable[[Hub], Companion]) -> None:
    """Called once for each, from the app's `ready()`."""
    _made_by.append(make)


def make_companions(hub: Hub) -> list[Companion]:
    return [make(hub) for make in _made_by]
