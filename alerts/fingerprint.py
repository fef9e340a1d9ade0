"""Which alerts are one and the same. Pure."""

from collections.abc import Mapping
from hashlib import blake2b
from uuid import UUID

# FNV-1a, 64 bits, as Prometheus' `model.LabelSet.Fingerprint` has it.
FNV_OFFSET = 0xCBF29CE484222325
FNV_PRIME = 0x100000001B3
FNV_MASK = 0xFFFFFFFFFFFFFFFF
SEPARATOR = b"\xff"


def identity(category: str, title: str, labels: Mapping[str, str], dedupe_key: str | None = None) -> UUID:
    """128 bits over category, title and labels; or, where the sender has a key of its own, over category and that key."""
    if dedupe_key is not None:
        return _digest(["key", category, dedupe_key])
    return _digest(["alert", category, title, *_flat(labels)])


def identity_of_labels(labels: Mapping[str, str]) -> UUID:
    """The same for alerts that are known by their labels alone, as Prometheus' are."""
    return _digest(["labels", *_flat(labels)])


def alertmanager_fingerprint(labels: Mapping[str, str]) -> str:
    """How Alertmanager calls an alert with these labels: 16 hexadecimal digits."""
    value = FNV_OFFSET
    for name in sorted(labels):
        for byte in name.encode() + SEPARATOR + labels[name].encode() + SEPARATOR:
            value = ((value ^ byte) * FNV_PRIME) & FNV_MASK
    return f"{value:016x}"


def content(*parts: str) -> int:
    """64 bits (signed, as PostgreSQL's bigint) that tell whether texts have changed."""
    return int.from_bytes(_hashed(parts, 8), "big", signed=True)


def _flat(labels: Mapping[str, str]) -> list[str]:
    return [text for pair in sorted(labels.items()) for text in pair]


def _digest(parts: list[str]) -> UUID:
    return UUID(bytes=_hashed(parts, 16))


def _hashed(parts: list[str] | tuple[str, ...], size: int) -> bytes:
    # Each text behind its length, so that no two lists of texts read the same.
    return blake2b("".join([f"{len(part)}:{part}" for part in parts]).encode(), digest_size=size).digest()
