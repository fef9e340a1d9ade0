"""Addresses that an app answers on the event loop itself, in front of Django. The web process knows no app by name: apps hand theirs in."""

from collections.abc import Callable, Sequence
from typing import Protocol

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from opsconsole.live.acknowledge import Endpoint


class OwnEndpoint(Protocol):
    """Made on the event loop, when the server starts; closed when it stops."""

    async def __call__(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None: ...

    async def close(self) -> None: ...


# Makes the endpoint; it is given what answers in its stead.
Make = Callable[[Endpoint], OwnEndpoint]

_made_by: list[tuple[Sequence[str], Make]] = []


def register_endpoint(paths: Sequence[str], make: Make) -> None:
    """Called once for each endpoint, from the app's `ready()`."""
    _made_by.append((paths, make))


def make_endpoints(otherwise: Endpoint) -> dict[str, OwnEndpoint]:
    """By path. One endpoint may answer several."""
    made: dict[str, OwnEndpoint] = {}
    for paths, make in _made_by:
        made |= dict.fromkeys(paths, make(otherwise))
    return made
