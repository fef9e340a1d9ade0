"""Waiting out leases on a clock of one's own. Pure: the times are handed in."""

from collections.abc import Iterable


class Patience:
    """When this process first saw each epoch, by its monotonic clock. Only that counts: what a clock elsewhere says proves nothing."""

    def __init__(self) -> None:
        self._first_seen: dict[int, float] = {}

    def look(self, epochs: Iterable[int], *, now: float) -> dict[int, float]:
        """Seconds waited for each of the epochs that are open now; those that are not open any more are forgotten."""
        self._first_seen = {epoch: self._first_seen.get(epoch, now) for epoch in epochs}
        return {epoch: now - seen for epoch, seen in self._first_seen.items()}
