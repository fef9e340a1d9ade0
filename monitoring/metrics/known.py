"""Keys of series, and which of them the database has, as far as this process knows."""

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from uuid import UUID

from monitoring.metrics.catalogue import CATALOGUE
from monitoring.metrics.checking import Ident

MOST = 200_000


def key_of(name: str, client: str, labels: Mapping[str, str]) -> UUID:
    """The key of one series, the same for ever and everywhere."""
    text = json.dumps([name, client, sorted(labels.items())], ensure_ascii=False, separators=(",", ":"))
    return UUID(bytes=blake2b(text.encode(), digest_size=16).digest())


def labels_of(ident: Ident) -> dict[str, str]:
    return dict(zip(CATALOGUE[ident.name].labels, ident.values, strict=True))


class KnownSeries:
    """By client and series, the key under which it is counted: its own, or that of *other*.

    It is a memory, not the truth: whoever counts finds out when a series is no longer there, and then asks the database.
    """

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._keys: dict[tuple[str, Ident], str] = {}

    def find(self, client: str, ident: Ident) -> str | None:
        return self._keys.get((client, ident))

    def remember(self, client: str, keys: Mapping[Ident, str]) -> None:
        if len(self._keys) + len(keys) > self._most:
            self._keys = {}
        self._keys.update({(client, ident): key for ident, key in keys.items()})

    def forget(self, client: str, idents: Iterable[Ident]) -> None:
        for ident in idents:
            self._keys.pop((client, ident), None)


known_series = KnownSeries()
