"""How the console is reached: by HTTP, or, for breakers of the console itself, in its own process."""

from typing import Protocol

from opsclient.transport import Answer


class Posting(Protocol):
    """As opsclient.transport.Poster."""

    def post(self, path: str, body: bytes) -> Answer:
        """The answer, whatever its status. Raises ConsoleUnreachable."""

    def close(self) -> None:
        """No more is sent for now."""


class Door(Protocol):
    """As opsclient.transport.Endpoint."""

    def poster(self) -> Posting:
        """For one thread."""
