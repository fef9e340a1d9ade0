"""Alerts that this process knows to fire, so that sending one again costs a look-up instead of a decision."""

from dataclasses import dataclass
from datetime import datetime

from alerts.services.repeats import Standings

Key = tuple[int, int]

# Of one generation; two are kept.
MOST = 100_000


@dataclass(frozen=True, slots=True)
class Known:
    alert_id: int
    starts_at: datetime


def key_of(labels: bytes, annotations: bytes, generator_url: bytes) -> Key:
    """Of the JSON texts of labels, annotations and generator URL, as they were sent. Each ends by itself: together they are unambiguous.

    Two hashes of 64 bits with this process's own secret (SipHash): nobody can make two alerts that are taken for one.
    """
    return hash(bytes(labels)), hash(b"".join((labels, annotations, generator_url)))


class KnownAlerts:
    """By `key_of()`. What is here may be out of date: whoever counts by it asks the database whether it still holds.

    Entries that were not used while MOST others came are forgotten. Used by the event loop and the committing thread: entries are only
    added, and a generation is replaced as a whole.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._young: dict[Key, Known] = {}
        self._old: dict[Key, Known] = {}
        # Of the thread that commits.
        self.standings = Standings()

    def get(self, key: Key) -> Known | None:
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.add(key, found)
        return found

    def add(self, key: Key, known: Known) -> None:
        if len(self._young) >= self._most:
            self._old, self._young = self._young, {}
        self._young[key] = known

    def drop(self, key: Key) -> None:
        self._young.pop(key, None)
        self._old.pop(key, None)
