"""Signed notes (https://c2sp.org/signed-note): a text, an empty line, and signatures of it, here by Ed25519. Pure."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519 = b"\x01"
ID_BYTES = 4
_DASH = "\u2014 "


class NoteRefused(Exception):
    """It is no note, or not signed by a known key. The text says what is the matter, and has nothing of the note."""


class UnknownKey(NoteRefused):
    """None of its signatures is by a known key."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key and the name that it goes by. `public`: 32 bytes."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The first bytes of the hash of name and key: they tell keys apart, and prove nothing."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:ID_BYTES]

    @property
    def vkey(self) -> str:
        """As other tools take it: `name+hash+key`."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(ED25519 + self.public).decode()}"

    def is_signed(self, text: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """`seed`: the private key, 32 bytes."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def verifier(self) -> Verifier:
        public = self._private().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return Verifier(self.name, public)

    def sign(self, text: str) -> str:
        """The note. `text`: ends with a newline."""
        signature = self.verifier.key_id + self._private().sign(text.encode())
        return f"{text}\n{_DASH}{self.name} {b64encode(signature).decode()}\n"

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def opened(note: str, verifiers: Sequence[Verifier]) -> tuple[str, Verifier]:
    """The text, and the first of the keys that has signed it. Signatures of unknown keys are passed over. Raises NoteRefused, UnknownKey."""
    text, gap, signatures = note.rpartition("\n\n")
    if not gap or not signatures.endswith("\n"):
        raise NoteRefused("it is no signed note")
    text += "\n"
    for line in signatures.splitlines():
        name, signature = _read(line)
        for verifier in verifiers:
            if verifier.name == name and verifier.key_id == signature[:ID_BYTES]:
                if not verifier.is_signed(text.encode(), signature[ID_BYTES:]):
                    raise NoteRefused("its signature is not of this text")
                return text, verifier
    raise UnknownKey("it is signed by no key that is known here")


def _read(line: str) -> tuple[str, bytes]:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not name or not space:
        raise NoteRefused("it has a line that is no signature")
    try:
        return name, b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NoteRefused("it has a signature that cannot be read") from None
