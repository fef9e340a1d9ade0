"""Checkpoints (https://c2sp.org/tlog-checkpoint): who keeps a tree, its size and its root, as a signed note. And the keys that sign them.

The key is made from SECRET_KEY, so there is no further secret to keep. Old ones in SECRET_KEY_FALLBACKS still verify what they signed.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from opsconsole.audit.sealing.merkle import HASH_BYTES
from opsconsole.audit.sealing.notes import NoteRefused, Signer, Verifier, opened

_PURPOSE = b"opsconsole: checkpoints of the audit trail, 1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a note says. `root`: 32 bytes."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


class Keys:
    """Of this console. They go by any origin: what was sealed before the console's address changed is still its own."""

    def __init__(self) -> None:
        secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        self._seeds = [_seed(secret) for secret in secrets]
        self._publics = [Signer("", seed).verifier.public for seed in self._seeds]
        self._known: dict[str, Sequence[Verifier]] = {}

    def signer(self) -> Signer:
        return Signer(settings.AUDIT_ORIGIN, self._seeds[0])

    def verifiers(self, origin: str) -> Sequence[Verifier]:
        """The newest first."""
        if origin not in self._known:
            self._known[origin] = [Verifier(origin, public) for public in self._publics]
        return self._known[origin]

    def read(self, note: str) -> tuple[Checkpoint, Verifier]:
        """What a note of this console says, and which key has signed it. Raises NoteRefused."""
        text, verifier = opened(note, self.verifiers(note.partition("\n")[0]))
        return _parsed(text), verifier


def _parsed(text: str) -> Checkpoint:
    """Further lines are passed over, as the format asks. Raises NoteRefused."""
    origin, size, root, *_ = [*text.split("\n"), "", ""]
    try:
        checkpoint = Checkpoint(origin, int(size), b64decode(root, validate=True))
    except (binascii.Error, ValueError):
        raise NoteRefused("it is no checkpoint") from None
    if not text.startswith(checkpoint.text) or checkpoint.size < 0 or len(checkpoint.root) != HASH_BYTES:
        raise NoteRefused("it is no checkpoint")
    return checkpoint


def _seed(secret: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
