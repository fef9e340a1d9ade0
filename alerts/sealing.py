"""Secrets of channels at rest: encrypted and authenticated (Fernet) with a key that is made from SECRET_KEY.

To change SECRET_KEY, keep the old one in SECRET_KEY_FALLBACKS until every channel has been saved again (`manage.py resealchannels`).
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE = b"opsconsole: secrets of alert channels, 1"


class SealBroken(Exception):
    """The text was sealed with a key that is not here, or it was changed since."""


def seal(secrets: Mapping[str, str]) -> str:
    """Sealed text of these secrets; empty for none."""
    if not secrets:
        return ""
    return _fernet().encrypt(json.dumps(dict(secrets), sort_keys=True).encode()).decode()


def unseal(text: str) -> dict[str, str]:
    """The secrets that `seal` was given. Raises SealBroken, whose text has nothing of them."""
    if not text:
        return {}
    try:
        opened = _fernet().decrypt(text.encode())
    except InvalidToken:
        raise SealBroken(
            "The secrets cannot be read: OPSCONSOLE_SECRET_KEY is not the one that they were sealed with. "
            "Put the old one into OPSCONSOLE_SECRET_KEY_FALLBACKS, or enter the secrets again."
        ) from None
    secrets: dict[str, str] = json.loads(opened)
    return secrets


def _fernet() -> MultiFernet:
    """Seals with the first key, unseals with any."""
    return MultiFernet([_key(text) for text in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(text: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(text.encode())
    return Fernet(urlsafe_b64encode(derived))
